using System.Globalization;
using Archiver.Core.Selection;

namespace Archiver.Core.Tests.Selection;

public sealed class KeptColumnsTests
{
    [Theory]
    [InlineData(null, null)]
    [InlineData("{}", "{}")]
    [InlineData(
        """{"a" : "b\\u0000", "n":[1,-2.5e3,0.1], "t":true,"x":null}""",
        """{"a" : "b\\u0000", "n":[1,-2.5e3,0.1], "t":true,"x":null}"""
    )]
    [InlineData("""{"a":"b\u0000c"}""", """{"a":"b\ufffdc"}""")]
    [InlineData("""{"a\u0000":"\\\u0000"}""", """{"a\ufffd":"\\\ufffd"}""")]
    [InlineData("""["\uD83D\uDE00"]""", """["\uD83D\uDE00"]""")]
    [InlineData("""["\ud83d","\ud83dx","\ude00","\ud83d\u0041"]""", """["\ufffd","\ufffdx","\ufffd","\ufffd\u0041"]""")]
    [InlineData("""["quote \" and 1e9999",1e9999,1e-9999,1E+10]""", """["quote \" and 1e9999","1e9999","1e-9999",1E+10]""")]
    [InlineData("""["ü😀"]""", """["ü😀"]""")]
    public void Keeps_what_jsonb_takes_and_replaces_what_it_refuses(string? json, string? kept) =>
        Assert.Equal(kept, KeptColumns.ForJsonb(json));

    [Fact]
    public void Keeps_a_number_that_numeric_does_not_take_as_a_string()
    {
        var number = "1".PadRight(200_000, '0');

        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"[\"{number}\"]"), KeptColumns.ForJsonb($"[{number}]"));
    }
}
