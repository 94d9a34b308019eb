using Archiver.Worker.Logging;
using Npgsql;

namespace Archiver.Worker.Tests;

public sealed class ExceptionTextTests
{
    [Fact]
    public void Repeats_no_word_of_an_error_of_the_database()
    {
        var error = new PostgresException(
            "my secret",
            "ERROR",
            "ERROR",
            "42501",
            detail: "my secret",
            hint: "my secret",
            where: "my secret"
        );

        var text = ExceptionText.Of(new InvalidOperationException("outer", error));

        Assert.DoesNotContain("my secret", text, StringComparison.Ordinal);
        Assert.Contains("InvalidOperationException: outer", text, StringComparison.Ordinal);
        Assert.Contains("42501", text, StringComparison.Ordinal);
    }
}
