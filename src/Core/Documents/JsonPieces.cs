using System.Text.Json;
using System.Text.Unicode;
using Archiver.Core.Postgres;

namespace Archiver.Core.Documents;

/// <summary>
/// Reads JSON from a stream value by value: the buffer grows to the longest value asked for, not to the document. Values keep the bytes
/// they have in the stream, so nothing is decoded before somebody knows what it is.
/// </summary>
internal sealed class JsonPieces : IDisposable
{
    // json values may nest 20,000 deep in PostgreSQL, a document a little deeper.
    private static readonly JsonReaderOptions Deep = new() { MaxDepth = 1_000_000 };

    private readonly Stream? _stream;
    private readonly int _most;
    private byte[] _buffer;
    private IDisposable? _large;
    private int _at,
        _end,
        _value,
        _valueEnd;
    private bool _ended;

    /// <param name="stream">The document.</param>
    /// <param name="most">Bytes that one value may have.</param>
    public JsonPieces(Stream stream, int most) => (_stream, _most, _buffer) = (stream, most, LargeBuffer.Rent(64 * 1024));

    /// <summary>Over bytes that are in memory, which stay the caller's.</summary>
    public JsonPieces(ArraySegment<byte> json) => (_buffer, _at, _end, _ended) = (json.Array!, json.Offset, json.Offset + json.Count, true);

    /// <summary>The raw bytes of the value last read; valid until the next read.</summary>
    public ReadOnlySpan<byte> Value => _buffer.AsSpan(_value, _valueEnd - _value);

    /// <summary>A reader over raw bytes of this format.</summary>
    public static Utf8JsonReader Over(ReadOnlySpan<byte> json) => new(json, Deep);

    /// <summary>The next byte that is not a blank, or 0 at the end.</summary>
    public ValueTask<byte> PeekAsync(CancellationToken cancellationToken)
    {
        for (; _at < _end; _at++)
        {
            if (_buffer[_at] is not ((byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t'))
                return new(_buffer[_at]);
        }
        return _ended ? new((byte)0) : FillAndPeekAsync(cancellationToken);
    }

    /// <summary>Takes one punctuation character.</summary>
    /// <exception cref="InvalidDataException">Something else is there.</exception>
    public async ValueTask ExpectAsync(char expected, CancellationToken cancellationToken)
    {
        var found = await PeekAsync(cancellationToken);
        if (found != expected)
            throw new InvalidDataException(
                found == 0 ? "The document ends too early." : $"The document is not as its format says: '{expected}' is missing."
            );
        _at++;
    }

    /// <summary>Takes the punctuation character if it is the next one.</summary>
    public async ValueTask<bool> TryTakeAsync(char wanted, CancellationToken cancellationToken)
    {
        if (await PeekAsync(cancellationToken) != wanted)
            return false;
        _at++;
        return true;
    }

    /// <summary>Reads one whole value into <see cref="Value"/>.</summary>
    /// <exception cref="JsonException">The bytes are not JSON.</exception>
    /// <exception cref="InvalidDataException">The document ends within the value, or the value is no UTF-8.</exception>
    public async ValueTask ReadValueAsync(CancellationToken cancellationToken)
    {
        await PeekAsync(cancellationToken);
        while (!TryMeasure())
        {
            if (_ended)
                throw new InvalidDataException("The document ends too early.");
            await FillAsync(cancellationToken);
        }
        // The JSON parser lets any bytes pass within a text, and decoded later they would be other characters than those that were
        // archived.
        if (!Utf8.IsValid(Value))
            throw new InvalidDataException("The document is not UTF-8.");
    }

    /// <summary>Whether no object within the value has a key twice.</summary>
    public static bool HasUniqueKeys(ReadOnlySpan<byte> json)
    {
        var reader = Over(json);
        Stack<HashSet<string>> objects = new();
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.StartObject)
                objects.Push(new(StringComparer.Ordinal));
            else if (reader.TokenType == JsonTokenType.EndObject)
                objects.Pop();
            else if (reader.TokenType == JsonTokenType.PropertyName && !objects.Peek().Add(reader.GetString()!))
                return false;
        }
        return true;
    }

    public void Dispose()
    {
        if (_stream is not null)
            LargeBuffer.Return(_buffer);
        _buffer = [];
        _large?.Dispose();
        _large = null;
    }

    private bool TryMeasure()
    {
        var reader = new Utf8JsonReader(_buffer.AsSpan(_at, _end - _at), _ended, new JsonReaderState(Deep));
        if (!reader.Read() || !reader.TrySkip())
            return false;
        _value = _at;
        _valueEnd = _at += (int)reader.BytesConsumed;
        return true;
    }

    private async ValueTask<byte> FillAndPeekAsync(CancellationToken cancellationToken)
    {
        await FillAsync(cancellationToken);
        return await PeekAsync(cancellationToken);
    }

    /// <summary>Makes room and fills the buffer to its end: a value larger than it is measured again only when it has doubled.</summary>
    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        var left = _end - _at;
        if (left >= _most)
            throw new InvalidDataException(
                $"The document has a value of more than {_most >> 20} MB, which is more than this process may hold in memory."
            );
        var target = _buffer;
        if (left > _buffer.Length / 2)
        {
            if (_large is null && _buffer.Length >= LargeRowGate.Bytes)
                _large = await LargeRowGate.EnterAsync(cancellationToken);
            target = _buffer.Length < _most ? LargeBuffer.Rent(Math.Min(_most, LargeBuffer.Larger(_buffer.Length))) : _buffer;
        }
        _buffer.AsSpan(_at, left).CopyTo(target);
        if (target != _buffer)
            LargeBuffer.Return(_buffer);
        (_buffer, _at, _end) = (target, 0, left);
        while (_end < _buffer.Length && !_ended)
        {
            var read = await _stream!.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
            _end += read;
            _ended = read == 0;
        }
    }
}
