import { catalogue } from "./language.jsx";

/** Why something failed and what a person can do; by the codes of docs/reference/errors.md. */
type Explanation = { why: string; remedy: string };

type Explanations = { byCode: Record<string, Explanation | undefined>; other: string };

export const failureMessages = catalogue<Explanations>(
  {
    other: "Try again. If it stays, the page Health and the log say more.",
    byCode: {
      unreachable: {
        why: "Moonbridge does not answer: it was stopped, is restarting, or the network in between is down.",
        remedy: "Start Moonbridge again; this page goes on by itself.",
      },
      invalid_api_key: {
        why: "The key is wrong, expired or revoked, or the session has ended.",
        remedy: "Log in again.",
      },
      insufficient_scope: {
        why: "This key may not do that.",
        remedy: "Use a key with the scope “admin”.",
      },
      model_not_found: {
        why: "No account has this model, or this key may not use it.",
        remedy: "Choose another model.",
      },
      conversation_not_found: {
        why: "Kimi's chat behind this conversation is gone.",
        remedy: "Begin a new conversation.",
      },
      context_length_exceeded: {
        why: "The conversation is too long for the model.",
        remedy: "Begin a new conversation, or shorten this one.",
      },
      content_filter: { why: "Kimi refused this conversation.", remedy: "Put it in other words." },
      file_rejected: {
        why: "Kimi cannot read this file, or it is too large.",
        remedy: "Send another format, or a smaller file.",
      },
      file_storage_full: {
        why: "Uploaded files fill their space.",
        remedy: "Delete files: DELETE /v1/files/{id}.",
      },
      account_busy: { why: "The account answers other requests.", remedy: "Wait a moment, then try again." },
      chat_busy: { why: "Kimi still answers in this chat.", remedy: "Wait a moment, then try again." },
      rate_limit_exceeded: {
        why: "Too many requests in a short time.",
        remedy: "Wait a minute, then try again.",
      },
      rate_limited: { why: "Too many requests in a short time.", remedy: "Wait a minute, then try again." },
      insufficient_quota: {
        why: "The account's quota at Kimi, or the key's own daily budget, is used up.",
        remedy: "Wait for the reset, or give the key a larger budget.",
      },
      quota_exceeded: { why: "The account's quota at Kimi is used up.", remedy: "Wait for its reset." },
      budget_exceeded: {
        why: "The key's daily budget is used up.",
        remedy: "Wait until tomorrow, or raise it.",
      },
      upstream_cut: { why: "The connection to Kimi broke before the end.", remedy: "Ask again." },
      upstream_protocol: {
        why: "Kimi answered in a form that Moonbridge does not know.",
        remedy: "Ask again. If it stays, send a support bundle (page Health).",
      },
      upstream_unavailable: {
        why: "Kimi failed or cannot be reached.",
        remedy: "Run the checks of the page Health; they name the cause.",
      },
      upstream_overloaded: { why: "Kimi is overloaded.", remedy: "Wait a moment, then try again." },
      account_login_required: {
        why: "Kimi no longer accepts the login of this account.",
        remedy: "Connect the account again.",
      },
      store_unavailable: {
        why: "The store cannot be read or written.",
        remedy: "Run the checks on the page Health.",
      },
      server_busy: { why: "Other large requests fill the memory.", remedy: "Wait a moment, then try again." },
      shutting_down: { why: "Moonbridge is shutting down.", remedy: "Start it again." },
      timeout: { why: "Kimi did not answer in time.", remedy: "Try again." },
      cancelled: { why: "The client went away before the end.", remedy: "Nothing, if that was meant." },
      internal: { why: "A defect of Moonbridge.", remedy: "Report it with a support bundle (page Health)." },
      invalid_request: { why: "A value is not as it should be.", remedy: "Correct it and try again." },
      unknown_parameter: {
        why: "The client sent a parameter that Moonbridge does not know.",
        remedy: "Take it out, or set server.unknownParameters to “ignore”.",
      },
    },
  },
  {
    other: "请重试。如果一直这样，“健康检查”页面和日志里有更多信息。",
    byCode: {
      unreachable: {
        why: "Moonbridge 没有响应：可能已停止、正在重启，或者中间的网络断了。",
        remedy: "重新启动 Moonbridge，本页会自动恢复。",
      },
      invalid_api_key: { why: "密钥不对、已过期或已撤销，或者登录已失效。", remedy: "请重新登录。" },
      insufficient_scope: { why: "这个密钥没有相应的权限。", remedy: "换一个带 admin 权限的密钥。" },
      model_not_found: { why: "没有哪个账号有这个模型，或者这个密钥不能用它。", remedy: "换一个模型。" },
      conversation_not_found: { why: "这段对话在 Kimi 那边的会话已经没有了。", remedy: "新建一个对话。" },
      context_length_exceeded: { why: "对话太长，超出了模型的上限。", remedy: "新建对话，或者删短一些。" },
      content_filter: { why: "Kimi 拒绝了这段对话。", remedy: "换个说法。" },
      file_rejected: {
        why: "Kimi 读不了这个文件，或者文件太大。",
        remedy: "换一种格式，或者换小一点的文件。",
      },
      file_storage_full: { why: "上传文件的空间满了。", remedy: "删掉一些文件：DELETE /v1/files/{id}。" },
      account_busy: { why: "账号正在回答别的请求。", remedy: "稍等再试。" },
      chat_busy: { why: "Kimi 还在这个会话里回答。", remedy: "稍等再试。" },
      rate_limit_exceeded: { why: "短时间内请求太多。", remedy: "等一分钟再试。" },
      rate_limited: { why: "短时间内请求太多。", remedy: "等一分钟再试。" },
      insufficient_quota: {
        why: "账号在 Kimi 的额度，或者密钥自己的每日限额用完了。",
        remedy: "等额度重置，或者调高密钥的限额。",
      },
      quota_exceeded: { why: "账号在 Kimi 的额度用完了。", remedy: "等额度重置。" },
      budget_exceeded: { why: "密钥今天的限额用完了。", remedy: "明天再用，或者调高限额。" },
      upstream_cut: { why: "回答没结束，和 Kimi 的连接就断了。", remedy: "再问一次。" },
      upstream_protocol: {
        why: "Kimi 的回答格式 Moonbridge 不认识。",
        remedy: "再问一次；一直这样的话，请附上支持包反馈（见“健康检查”）。",
      },
      upstream_unavailable: {
        why: "Kimi 出错了，或者连不上。",
        remedy: "到“健康检查”运行检查，会指出原因。",
      },
      upstream_overloaded: { why: "Kimi 现在太忙。", remedy: "稍等再试。" },
      account_login_required: { why: "Kimi 不再认这个账号的登录。", remedy: "重新连接账号。" },
      store_unavailable: { why: "存储无法读写。", remedy: "在“健康检查”页运行检查。" },
      server_busy: { why: "内存被其他大请求占满了。", remedy: "稍等再试。" },
      shutting_down: { why: "Moonbridge 正在关闭。", remedy: "重新启动它。" },
      timeout: { why: "Kimi 没有及时回答。", remedy: "再试一次。" },
      cancelled: { why: "客户端在回答结束前断开了。", remedy: "如果是有意停止的，不用处理。" },
      internal: { why: "这是 Moonbridge 的缺陷。", remedy: "请附上支持包反馈（见“健康检查”）。" },
      invalid_request: { why: "有一项内容不对。", remedy: "改正后再试。" },
      unknown_parameter: {
        why: "客户端发来了 Moonbridge 不认识的参数。",
        remedy: "去掉它，或者把 server.unknownParameters 设为 “ignore”。",
      },
    },
  },
);
