"""A tool in Python. `wit/world.wit` says what it exports, `tool.toml` what it may use."""

import wit_world
from componentize_py_types import Err

MOST = 1000  # repetitions


class WitWorld(wit_world.WitWorld):
    def repeat_text(self, text: str, times: int) -> str:
        # What is raised as `Err` is the error of the result.
        if times > MOST:
            raise Err(f"`times` is {times}; at most {MOST} are allowed")
        return " ".join([text] * times)
