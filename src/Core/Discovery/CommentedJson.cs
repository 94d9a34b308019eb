using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Archiver.Core.Discovery;

/// <summary>A JSON object that is written line by line, with comments: what a person is to look at stands beside its reason.</summary>
internal sealed class CommentedJson
{
    private static readonly JsonSerializerOptions Form = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly List<(string? Key, string? Value, CommentedJson? Object, string? Comment)> _members = [];

    /// <summary>A member with a text, a list of texts, or another value; none where there is no value.</summary>
    public CommentedJson Add(string key, JsonNode? value, string? comment = null)
    {
        if (value is not null)
            _members.Add((key, value.ToJsonString(Form).Replace("\",\"", "\", \"", StringComparison.Ordinal), null, comment));
        return this;
    }

    /// <summary>A member with members of its own.</summary>
    public CommentedJson Add(string key, CommentedJson value, string? comment = null)
    {
        _members.Add((key, null, value, comment));
        return this;
    }

    /// <summary>A line that says something about the next one.</summary>
    public CommentedJson Note(string text)
    {
        _members.Add((null, null, null, text));
        return this;
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        Write(text, 0);
        return text.Append('\n').ToString();
    }

    private void Write(StringBuilder text, int depth)
    {
        var indent = new string(' ', (depth + 1) * 2);
        text.Append("{\n");
        var last = _members.FindLastIndex(m => m.Key is not null);
        for (var i = 0; i < _members.Count; i++)
        {
            var (key, value, members, comment) = _members[i];
            text.Append(indent);
            if (key is null)
            {
                text.Append("// ").Append(Line(comment!)).Append('\n');
                continue;
            }
            text.Append(JsonValue.Create(key).ToJsonString(Form)).Append(": ");
            if (members is null)
                text.Append(value);
            else
                members.Write(text, depth + 1);
            text.Append(i < last ? "," : "").Append(comment is null ? "" : $" // {Line(comment)}").Append('\n');
        }
        text.Append(new string(' ', depth * 2)).Append('}');
    }

    /// <summary>A name with a line break in it must not end a comment.</summary>
    private static string Line(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
}
