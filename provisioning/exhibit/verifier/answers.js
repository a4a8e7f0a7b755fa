// What headquarters answered to the box about the record: signed by a key of the register, named by the box's log.

const SAID = "evidence/answers/said.json";

/** A written answer is headquarters', about this record, and the report shows what it says. */
async function checkAnswer(evidence, { file, sha256: hash, at_ms: at, verdict, words, by, named_by: namedBy }, exhibit) {
  if (!file) throw new Open("headquarters_word");
  const signed = evidence.get(file);
  must(hex(await sha256(signed)) === hash, "other_hash");
  const message = parseSign1(signed);
  const keys = (await verifyRoster(evidence)).keys.filter(({ role }) => role === "answers");
  let failed = new Bad("not_in_roster");
  for (const key of keys) {
    try {
      await checkSign1(message, EDDSA, "landlink/downlink", fromBase64(key.public));
      failed = null;
    } catch (error) {
      failed = failed && error;
    }
  }
  if (failed) throw failed;
  const downlink = decodeCbor(message.payload);
  const answer = downlink.get("message");
  must(answer instanceof Map && answer.get("type") === "case_answer", "other_type");
  must(answer.get("of") === exhibit.entry.record_id && downlink.get("box").split("/")[1] === exhibit.serial.toLowerCase(), "not_the_same_entry");
  must(downlink.get("at_ms") === at && answer.get("verdict") === verdict, "report_differs");
  must(answer.get("words") === words && answer.get("by") === by, "report_differs");
  const moved = exhibit.related.filter(({ record }) => record && record.body.answer === hash).map(({ index }) => index);
  must(namedBy === (moved.length ? Math.min(...moved) : null), "report_differs");
  return { params: { time: isoTime(at), index: namedBy === null ? "–" : String(namedBy) } };
}

async function* answerSteps(evidence, exhibit) {
  const told = exhibit.answers || [];
  if (!evidence.has(SAID) && !told.length) return;
  const folder = "evidence/answers";
  yield await take("answers", folder, async () => must(sameJson(exhibit.answers, parseJson(evidence.get(SAID))), "report_differs"));
  for (const answer of told) yield await take("answer", folder, () => checkAnswer(evidence, answer, exhibit));
}
