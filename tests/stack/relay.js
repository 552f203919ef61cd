#!/usr/bin/env node
// relay PORT HOST PORT: what connects to the first port talks to the second; for as long as it runs.
const [port, host, to] = process.argv.slice(2);
require("node:net")
  .createServer((from) => {
    const onward = require("node:net").connect(Number(to), host);
    for (const [socket, other] of [[from, onward], [onward, from]]) {
      socket.setNoDelay();
      socket.on("error", () => other.destroy());
      socket.on("close", () => other.destroy());
      socket.pipe(other);
    }
  })
  .listen(Number(port), "0.0.0.0");
