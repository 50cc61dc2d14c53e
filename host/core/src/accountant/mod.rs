//! The accountant: one ledger for the four resources. Placeholder until the ledger lands.
