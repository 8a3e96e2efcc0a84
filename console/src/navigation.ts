import {
  Activity,
  ChartColumn,
  Gauge,
  KeyRound,
  ListTree,
  type LucideIcon,
  MessageSquare,
  Plug,
  UserRound,
} from "lucide-react";
import type { shellMessages } from "./i18n/shell.js";

type PageName = keyof (typeof shellMessages)["en"]["pages"];
export type NavigationEntry = { page: PageName; path: string; icon: LucideIcon; isInBottomBar: boolean };

/** The pages, in the order of the navigation. */
export const navigation: readonly NavigationEntry[] = [
  { page: "overview", path: "/", icon: Gauge, isInBottomBar: true },
  { page: "accounts", path: "/accounts", icon: UserRound, isInBottomBar: true },
  { page: "chat", path: "/chat", icon: MessageSquare, isInBottomBar: true },
  { page: "keys", path: "/keys", icon: KeyRound, isInBottomBar: true },
  { page: "clients", path: "/clients", icon: Plug, isInBottomBar: false },
  { page: "requests", path: "/requests", icon: ListTree, isInBottomBar: false },
  { page: "usage", path: "/usage", icon: ChartColumn, isInBottomBar: false },
  { page: "health", path: "/health", icon: Activity, isInBottomBar: false },
];
