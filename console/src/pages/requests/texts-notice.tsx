import { Alert } from "@mantine/core";
import { TriangleAlert } from "lucide-react";
import { useServerState } from "../../api/queries.js";
import { useMessages } from "../../i18n/language.jsx";
import { requestsMessages } from "../../i18n/requests.js";

/** Says that prompts and answers are kept, while they are. */
export function TextsNotice() {
  const t = useMessages(requestsMessages);
  const { data } = useServerState();
  if (!data?.journal.texts) return null;
  return (
    <Alert color="red" icon={<TriangleAlert aria-hidden />} role="alert">
      {t.textsOn}
    </Alert>
  );
}
