// A tool in JavaScript. `wit/world.wit` says what it exports, `tool.toml` what it may use.

const MOST = 1000; // repetitions

export function repeatText(text, times) {
  // What is thrown is the error of the result.
  if (times > MOST) throw `\`times\` is ${times}; at most ${MOST} are allowed`;
  return Array(times).fill(text).join(" ");
}
