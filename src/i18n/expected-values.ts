/** Chinese for the descriptions of the schemas of settings, which follow “expected” in error messages. */
const expectedValues: Readonly<Record<string, string>> = {
  '"ai" or "cn"': '"ai" 或 "cn"',
  '"chat" or "admin"': '"chat" 或 "admin"',
  '"continue" or "new"': '"continue" 或 "new"',
  '"documents" or "off"': '"documents" 或 "off"',
  '"emulate" or "off"': '"emulate" 或 "off"',
  '"inline", "footer", "annotations" or "off"': '"inline"、"footer"、"annotations" 或 "off"',
  '"moonshot" or "generic"': '"moonshot" 或 "generic"',
  '"native", "merged" or "ephemeral"': '"native"、"merged" 或 "ephemeral"',
  '"reject" or "ignore"': '"reject" 或 "ignore"',
  "1 to 64 letters, digits, . _ or -": " 1 到 64 个字母、数字、.、_ 或 -",
  "a User-Agent": " User-Agent",
  "a date such as 2026-12-31, or a time such as 2026-12-31T18:00:00Z":
    "日期（例如 2026-12-31）或时间（例如 2026-12-31T18:00:00Z）",
  "a folder": "文件夹",
  "a key of the service": "该服务的密钥",
  'a list of "chat" and "admin"': '由 "chat" 和 "admin" 组成的列表',
  "a list of keys": "密钥的列表",
  "a list of model ids": "模型 id 的列表",
  'a list of models, or ["*"]': '模型的列表，或 ["*"]',
  'a list of origins, such as ["https://chat.example.org"], or ["*"]':
    '源（origin）的列表，例如 ["https://chat.example.org"]，或 ["*"]',
  "a list of ports, such as [11434]": "端口的列表，例如 [11434]",
  "a list of regular expressions": "正则表达式的列表",
  "a list of upstreams": "上游的列表",
  "a list of upstreams for each model's name": "每个模型名对应的上游列表",
  "a model for each name": "每个名字对应的模型",
  "a model's id": "模型的 id",
  "a model's name": "模型名",
  "a number of seconds from 0 to 3600": " 0 到 3600 的秒数",
  "a number of tokens from 1000 to 100000000": " 1000 到 100000000 的 token 数",
  "a port from 0 (any) to 65535": " 0（任选）到 65535 的端口",
  "a port from 0 to 65535": " 0 到 65535 的端口",
  "a refresh token": "刷新令牌",
  "a whole number from 1 to 10000": " 1 到 10000 的整数",
  "a whole number from 1 to 100000": " 1 到 100000 的整数",
  "a whole number from 1 to 10000000": " 1 到 10000000 的整数",
  "a whole number from 1 to 1000000000000": " 1 到 1000000000000 的整数",
  "an API key of your own choosing": "你自己定的 API 密钥",
  "an API key, or sha256: and its hash in hex": " API 密钥，或 sha256: 加它的十六进制哈希",
  "an access token": "访问令牌",
  "an http or https address": " http 或 https 地址",
  "an https address; http only on this machine": " https 地址；只有本机可以用 http",
  "an http, https, socks5 or socks5h address of a proxy": "代理的 http、https、socks5 或 socks5h 地址",
  "none, or an http, https, socks5 or socks5h address": " none，或 http、https、socks5、socks5h 地址",
  'a list of names, such as ["moonbridge.lan"]': '名字的列表，例如 ["moonbridge.lan"]',
  "a name such as moonbridge.lan": "名字，例如 moonbridge.lan",
  "bytes from 1 to 1073741824": " 1 到 1073741824 的字节数",
  "characters from 200 to 10000000": " 200 到 10000000 的字符数",
  "hours, more than 0 and at most 8760": "小时数，大于 0 且不超过 8760",
  "how many answers at a time, from 1": "同时进行的回答数，至少为 1",
  "requests from 0 to 10000": " 0 到 10000 的请求数",
  "seconds from 0 to 600": " 0 到 600 的秒数",
  "seconds from 1 to 1800": " 1 到 1800 的秒数",
  "seconds from 1 to 600": " 1 到 600 的秒数",
  "sqlite: and a path, or a Redis URL": " sqlite: 加路径，或 Redis 地址",
  "the address to listen on": "监听地址",
  "the audience of its tokens": "其令牌的 audience",
  "the scope that stands for admin": "代表 admin 的 scope",
  "the scopes that a token must have": "令牌必须具有的 scope",
  "the version of Kimi's site, such as 2.3.0": " Kimi 网站的版本，例如 2.3.0",
  'a list of a program and its arguments, such as ["notify-send", "Moonbridge"]':
    '程序及其参数的列表，例如 ["notify-send", "Moonbridge"]',
  "days from 1 to 3650": " 1 到 3650 的天数",
  "requests from 1 to 10000000": " 1 到 10000000 的请求数",
  "debug, info, warn, error or silent": " debug、info、warn、error 或 silent",
  "the console's client id": "控制台的客户端 id",
  "the path of a PEM file": " PEM 文件的路径",
  "an object with “certificate” and “key”, the paths of two PEM files":
    "包含“certificate”和“key”的对象，即两个 PEM 文件的路径",
  "true or false": " true 或 false",
};

/** The description in Chinese; names and texts of libraries, which are not in the table, as they are. */
export function expectedValueInChinese(description: string): string {
  return expectedValues[description] ?? ` ${description.replaceAll(" or ", " 或 ")}`;
}

/** Whether the table has this description. A test asks for every description of the schemas. */
export function hasChinese(description: string): boolean {
  return Object.hasOwn(expectedValues, description);
}
