// Sends or verifies by AWS's SDK for JavaScript: a command on each line of the input, an outcome on each of the output.
"use strict";

const readline = require("node:readline");
const { PinpointClient, SendOTPMessageCommand, VerifyOTPMessageCommand } = require("@aws-sdk/client-pinpoint");

const COMMANDS = { SendOTPMessage: SendOTPMessageCommand, VerifyOTPMessage: VerifyOTPMessageCommand };

async function carryOut({ operation, request, timeout }) {
  const client = new PinpointClient(timeout ? { requestHandler: { requestTimeout: timeout, throwOnRequestTimeout: true } } : {});
  try {
    const { $metadata, ...answer } = await client.send(new COMMANDS[operation](request));
    return { answer };
  } catch (error) {
    return { error: error.code || error.name, message: error.message };
  } finally {
    client.destroy();
  }
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await carryOut(JSON.parse(line))));
  }
})();
