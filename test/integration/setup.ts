/** On a machine that is busy with other things a test of seconds may take many. */
jest.setTimeout(120_000);
