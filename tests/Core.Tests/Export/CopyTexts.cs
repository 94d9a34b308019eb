using System.Globalization;
using System.Text;
using System.Text.Json;
using CsCheck;

namespace Archiver.Core.Tests.Export;

/// <summary>Values as a database may hold them, made by chance, and the COPY text of them as the server writes it.</summary>
internal static class CopyTexts
{
    // What COPY or JSON escapes, what looks like an escape and is none, what shapes a timestamp or a json value.
    private static readonly Gen<string> Awkward = Gen.OneOf(
        "\\",
        "\"",
        "/",
        "\n",
        "\t",
        "\r",
        "\b",
        "\f",
        "\v",
        "\u0001",
        "\u001f",
        "\u007f",
        "\\N",
        "\\u0041",
        "\\.",
        "T",
        "Z",
        " ",
        "{",
        "}",
        "null",
        "+00"
    );

    private static readonly Gen<string> AnyCharacter = Gen.Int[1, 0x10FFFF].Where(c => Rune.IsValid(c)).Select(c => new Rune(c).ToString());

    /// <summary>Text of any length up to a few dozen characters; everything that UTF-8 has but NUL, which PostgreSQL has not.</summary>
    public static Gen<string> Any { get; } =
        Gen.Frequency((3, Awkward), (2, Gen.Char['a', 'z'].Select(c => c.ToString())), (1, AnyCharacter))
            .Array[0, 40]
            .Select(string.Concat);

    /// <summary>What the server writes of a time, with and without offset, infinite ones too.</summary>
    public static Gen<string> Timestamp { get; } =
        Gen.Frequency(
            (1, Gen.OneOf("infinity", "-infinity")),
            (
                20,
                Gen.Select(
                    Gen.Int[1, 294_276],
                    Gen.Int[1, 12],
                    Gen.Int[1, 28],
                    Gen.Int[0, 86_399],
                    Gen.OneOf("", ".1", ".000001", ".123456"),
                    Gen.OneOf("", "+00", "+05:30", "-11", "+00:19:32"),
                    Gen.OneOf("", "", " BC"),
                    (year, month, day, second, fraction, offset, era) =>
                        $"{year:0000}-{month:00}-{day:00} {TimeSpan.FromSeconds(second):hh\\:mm\\:ss}{fraction}{offset}{era}"
                )
            )
        );

    /// <summary>A json value as somebody may have written it: nested, and with line breaks and tabs between its tokens or none.</summary>
    public static Gen<string> Json { get; } =
        Gen.Recursive<string>(
            (depth, value) =>
                depth >= 4
                    ? Leaf
                    : Gen.Frequency(
                        (2, Leaf),
                        (
                            1,
                            Gen.Select(Blank, value.Array[0, 4])
                                .Select((blank, items) => $"[{blank}{string.Join($",{blank}", items)}{blank}]")
                        ),
                        (
                            1,
                            Gen.Select(Blank, Gen.Select(Any, value).Array[0, 4])
                                .Select(
                                    (blank, pairs) =>
                                        $"{{{blank}{string.Join($",{blank}", pairs.Select((p, i) => $"{JsonSerializer.Serialize($"{i}{p.Item1}")}:{blank}{p.Item2}"))}{blank}}}"
                                )
                        )
                    )
        );

    private static Gen<string> Blank => Gen.OneOf("", " ", "\n", "\r\n\t", "\n  ");

    private static Gen<string> Leaf =>
        Gen.OneOf(
            Any.Select(t => JsonSerializer.Serialize(t)),
            Gen.Decimal.Select(d => d.ToString(CultureInfo.InvariantCulture)),
            Gen.OneOf("true", "false", "null")
        );

    /// <summary>The field of COPY text that stands for it.</summary>
    public static byte[] Field(string text)
    {
        var field = new StringBuilder();
        foreach (var c in text)
        {
            field.Append(
                c switch
                {
                    '\\' => @"\\",
                    '\b' => @"\b",
                    '\f' => @"\f",
                    '\n' => @"\n",
                    '\r' => @"\r",
                    '\t' => @"\t",
                    '\v' => @"\v",
                    _ => c,
                }
            );
        }
        return Encoding.UTF8.GetBytes(field.ToString());
    }
}
