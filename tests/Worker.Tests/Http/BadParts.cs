namespace Archiver.Worker.Tests.Http;

/// <summary>Parts of requests that nobody should send.</summary>
internal static class BadParts
{
    internal static readonly string[] Paths =
    [
        "/archives/{}",
        "/archives/{}/restore",
        "/archives?user=ok&limit={}",
        "/archives?after={}",
        "/archives?from={}",
        "/archives?source={}",
        "/runs?limit={}",
        "/runs?source={}",
        "/transcript?id={}",
        "/restore?id={}",
        "/assets/{}",
        "/actions/{}",
        "/{}",
        "/health/{}",
        "/metrics/{}",
    ];

    internal static readonly string[] Values =
    [
        "../",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/",
        "%00",
        "a%00b",
        "'",
        "%22",
        "';DROP%20TABLE%20x;--",
        "%27%20OR%201=1",
        "%ff%fe",
        "%c0%ae",
        "%",
        "%zz",
        "-1",
        "0x10",
        "1e9",
        "99999999999999999999",
        "%0d%0aSet-Cookie:x=1",
        "%3Cscript%3E",
        "%E2%80%AE",
        "%F0%9F%92%A9",
        "null",
        "NaN",
        "{0}",
        "$%7Bjndi%7D",
        "a/b/c",
        "%2f",
        "%5c..%5c",
        "+",
        "%09",
        "0b9c6a52-4a3c-4d0b-9a52-0f6f3d1c9a1",
        new('x', 600),
        new('%', 50),
        string.Concat(Enumerable.Repeat("%C3%A4", 300)),
    ];

    internal static readonly string[] Methods =
    [
        "GET",
        "POST",
        "PUT",
        "DELETE",
        "PATCH",
        "OPTIONS",
        "HEAD",
        "TRACE",
        "PROPFIND",
        "get",
        "G\u0001T",
    ];

    internal static readonly string[] Bodies =
    [
        "",
        "{",
        "[]",
        "null",
        "{\"policy\":null}",
        "{\"policy\":1}",
        "{\"generation\":-1}",
        "{\"on_conflict\":\"explode\"}",
        "{\"source\":\"\\u0000\"}",
        "{\"policy\":\"\\ud800\"}",
        "policy=main%2Fnone",
        "policy=%00",
        "source=main&id=%00&generation=x",
        new('[', 2000),
        "\0\0\0",
    ];

    internal static readonly string[] Extra =
    [
        "",
        "Content-Type: application/json\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: multipart/form-data; boundary=x\r\n",
        "Accept-Encoding: gzip;q=x, *;q=0\r\n",
        "If-None-Match: x\r\n",
        "Range: bytes=5-1\r\n",
        "Origin: https://evil.example\r\n",
        "Sec-Fetch-Site: same-origin\r\n",
        "X-Odd: \u0001\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Cookie: a=b\r\n",
        "Expect: 1000\r\n",
    ];
}
