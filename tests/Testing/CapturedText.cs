using System.Text;

namespace Archiver.Testing;

/// <summary>Text that one task reads from a stream while tests look at what has come so far.</summary>
internal sealed class CapturedText
{
    private readonly StringBuilder text = new();

    public async Task ReadAsync(StreamReader reader)
    {
        var buffer = new char[4096];
        while (await reader.ReadAsync(buffer) is var count and > 0)
        {
            lock (text)
                text.Append(buffer, 0, count);
        }
    }

    public override string ToString()
    {
        lock (text)
            return text.ToString();
    }
}
