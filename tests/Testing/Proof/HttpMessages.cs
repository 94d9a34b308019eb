using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Archiver.Testing.Proof;

/// <summary>Cuts a connection's bytes into whole HTTP messages, as much of HTTP as an S3 client and its server speak.</summary>
internal sealed class HttpMessages(NetworkStream stream)
{
    private readonly List<byte> _bytes = [];

    /// <summary>The next message, or null at the end of the connection.</summary>
    /// <param name="bodyless">It answers a HEAD, so no body follows whatever its length says.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<HttpMessage?> ReadAsync(bool bodyless, CancellationToken cancellationToken)
    {
        int body;
        while ((body = Find("\r\n\r\n", 0)) < 0)
        {
            if (!await FillAsync(cancellationToken))
                return null;
        }
        body += 4;
        var head = Encoding.Latin1.GetString([.. _bytes.Take(body)]);
        var lines = head.Split("\r\n");
        var length =
            bodyless || lines[0].Contains(" 204 ", StringComparison.Ordinal) || lines[0].Contains(" 304 ", StringComparison.Ordinal) ? 0
            : Header(lines, "Transfer-Encoding") == "chunked" ? await ChunkedAsync(body, cancellationToken)
            : int.Parse(Header(lines, "Content-Length") ?? "0", CultureInfo.InvariantCulture);
        while (_bytes.Count < body + length)
        {
            if (!await FillAsync(cancellationToken))
                return null;
        }
        var message = new HttpMessage(lines[0], [.. _bytes.Take(body + length)], body);
        _bytes.RemoveRange(0, body + length);
        return message;
    }

    private static string? Header(string[] lines, string name) =>
        lines.FirstOrDefault(l => l.StartsWith($"{name}:", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim();

    private async Task<int> ChunkedAsync(int body, CancellationToken cancellationToken)
    {
        int end;
        while ((end = Find("0\r\n\r\n", body)) < 0)
        {
            if (!await FillAsync(cancellationToken))
                return _bytes.Count - body;
        }
        return end + 5 - body;
    }

    private int Find(string text, int from)
    {
        var wanted = Encoding.ASCII.GetBytes(text);
        var at = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_bytes)[Math.Min(from, _bytes.Count)..].IndexOf(wanted);
        return at < 0 ? -1 : from + at;
    }

    private async Task<bool> FillAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        var count = await stream.ReadAsync(buffer, cancellationToken);
        _bytes.AddRange(buffer.AsSpan(0, count));
        return count > 0;
    }
}

/// <summary>A whole message.</summary>
/// <param name="FirstLine">Request or status line.</param>
/// <param name="Bytes">All of it.</param>
/// <param name="BodyStart">Where its body begins.</param>
internal sealed record HttpMessage(string FirstLine, byte[] Bytes, int BodyStart);
