using Archiver.Core.Configuration;

namespace Archiver.Core.Tests.Documentation;

public sealed class DocumentedOptionsTests
{
    [Fact]
    public void Every_option_stands_in_the_readme_once_and_nothing_else_does()
    {
        var written = DocumentedOptions.All().Select(o => o.Path).ToList();

        Assert.NotEmpty(written);
        Assert.Equal(ArchiverConfiguration.KnownKeys.Order(StringComparer.Ordinal), written.Order(StringComparer.Ordinal));
    }
}
