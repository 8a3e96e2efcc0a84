import { type LocalizedText, text } from "../i18n/text.js";
import type { ErrorCode, GatewayError } from "./errors.js";

/** What each code means, for the command line. The API answers in English (docs/reference/errors.md). */
const meanings: Record<ErrorCode, string> = {
  invalid_request: "请求有误",
  unknown_parameter: "有未知参数",
  context_length_exceeded: "超出模型的上下文长度",
  content_filter: "内容被过滤",
  file_rejected: "文件不被接受",
  link_forbidden: "不允许访问这个链接",
  link_unreachable: "无法访问链接",
  invalid_api_key: "API 密钥无效",
  insufficient_scope: "密钥权限不足",
  model_not_found: "没有这个模型",
  conversation_not_found: "没有这个对话",
  not_found: "没有找到",
  origin_forbidden: "不允许来自这个网页的请求",
  request_timeout: "请求发送得太慢",
  request_too_large: "请求太大",
  unsupported_media_type: "不支持的编码",
  file_storage_full: "文件存储已满",
  headers_too_large: "请求头太大",
  account_busy: "账号正忙，请稍后再试",
  chat_busy: "会话正在回答，请稍后再试",
  rate_limited: "Kimi 请求过于频繁，请稍后再试",
  quota_exceeded: "额度已用完",
  budget_exceeded: "密钥当天的额度已用完",
  internal: "Moonbridge 内部错误",
  upstream_protocol: "无法理解对方的回应",
  upstream_cut: "对方的回应中断",
  upstream_unavailable: "无法连接，请检查网络后再试",
  upstream_overloaded: "对方过载，请稍后再试",
  account_login_required:
    "需要重新登录 Kimi：从网站复制 access_token 和 refresh_token，再运行“moonbridge login”",
  issuer_unavailable: "无法连接身份提供方",
  store_unavailable: "存储无法读写，请稍后再试",
  server_busy: "服务器正忙，请稍后再试",
  shutting_down: "正在停止",
  timeout: "超时",
  cancelled: "已取消",
};

/** The error for a person at the command line: in Chinese the meaning of its code precedes the English details. */
export function describeError({ code, message }: GatewayError): LocalizedText {
  return text(message, `${meanings[code]}。（${message}）`);
}
