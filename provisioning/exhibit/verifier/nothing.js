// A negative exhibit: every leaf of an interval is here, between two signed states of the log.

async function* nothingSteps() {}
