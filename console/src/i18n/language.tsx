import { createContext, type ReactNode, useContext, useEffect, useState } from "react";

export const languages = { en: "English", zh: "中文" } as const;
export type Language = keyof typeof languages;

/** The same texts in each language; a missing one does not compile. */
export type Catalogue<Messages> = Record<Language, Messages>;

/** A catalogue whose shape is that of its English texts. */
export function catalogue<Messages>(en: Messages, zh: NoInfer<Messages>): Catalogue<Messages> {
  return { en, zh };
}

const LanguageContext = createContext<{ language: Language; setLanguage: (language: Language) => void }>({
  language: "en",
  setLanguage: () => {},
});

const storageKey = "moonbridge.language";

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(initialLanguage);
  useEffect(() => {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    localStorage.setItem(storageKey, language);
  }, [language]);
  return <LanguageContext value={{ language, setLanguage }}>{children}</LanguageContext>;
}

/** The language that was chosen here before, else the browser's. */
function initialLanguage(): Language {
  const chosen = localStorage.getItem(storageKey);
  if (chosen === "en" || chosen === "zh") return chosen;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export function useLanguage() {
  return useContext(LanguageContext);
}

export function useMessages<Messages>(messages: Catalogue<Messages>): Messages {
  return messages[useContext(LanguageContext).language];
}
