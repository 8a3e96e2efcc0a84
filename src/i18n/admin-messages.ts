import { text } from "./text.js";

/** What `accounts`, `usage` and `requests` print. */
export const adminMessages = {
  accountColumns: {
    name: text("NAME", "名称"),
    kind: text("KIND", "种类"),
    origin: text("FROM", "来源"),
    state: text("STATE", "状态"),
    expires: text("LOGIN ENDS", "登录到期"),
  },
  origins: {
    config: text("config", "配置"),
    login: text("login", "登录"),
    "built-in": text("built-in", "内置"),
  },
  accountStates: {
    ok: text("ok", "正常"),
    expiring: text("expiring", "即将到期"),
    busy: text("busy", "忙"),
    limited: text("limited", "被限流"),
    quota: text("quota used up", "额度已用完"),
    "login required": text("login required", "需要登录"),
    unavailable: text("unavailable", "无法连接"),
  },
  usageColumns: {
    day: text("DAY", "日期"),
    name: text("NAME", "名称"),
    requests: text("REQUESTS", "请求"),
    errors: text("ERRORS", "失败"),
    cancelled: text("CANCELLED", "取消"),
    input: text("INPUT", "输入"),
    output: text("OUTPUT", "输出"),
  },
  requestColumns: {
    time: text("TIME", "时间"),
    key: text("KEY", "密钥"),
    dialect: text("API", "接口"),
    upstream: text("ACCOUNT", "账号"),
    model: text("MODEL", "模型"),
    outcome: text("OUTCOME", "结果"),
    firstOutput: text("FIRST", "首字"),
    duration: text("WHOLE", "总计"),
    tokens: text("TOKENS", "TOKEN"),
  },
  noUsage: text("There were no requests in these days.", "这些天没有请求。"),
  noRequests: text("There are no such requests in the journal.", "请求记录中没有这样的请求。"),
  expectedDay: text("expected a day such as 2026-12-31.", "应为日期，例如 2026-12-31。"),
  expectedLimit: text("expected a number from 1 to 500.", "应为 1 到 500 的数字。"),
};
