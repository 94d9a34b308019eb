using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Tests.Configuration;

namespace Archiver.Core.Tests.Policies;

/// <summary>What a person accepted with one version stays accepted with the next: how the parts are written must not change.</summary>
public sealed class PolicyHashTests
{
    [Theory]
    [InlineData(null, "22974abd37e138833c82c526566c685c4ad068f5614f19969f")]
    [InlineData("title <> 'é <b>&+' AND user_id IS NOT NULL", "8374fabce74ee9652d304fa88699aa6aed222be058ec116190")]
    public void Is_what_it_was_in_every_version_before(string? where, string beginning)
    {
        var configured = Configured.AsItIs();
        var source = (where is null ? configured : configured.And($"{Configured.PolicyKey}Where", where)).Settings().Sources[0];

        Assert.StartsWith(beginning, PolicyHash.Of(source, source.Policies[0]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PolicyAction.Purge, PurgeScope.Messages, true)]
    // Sessions go whole: what of their messages says that it is deleted decides nothing.
    [InlineData(PolicyAction.Purge, PurgeScope.Sessions, false)]
    [InlineData(PolicyAction.Archive, PurgeScope.Sessions, false)]
    [InlineData(PolicyAction.Archive, PurgeScope.Messages, false)]
    public void Is_another_where_another_column_says_which_messages_a_purge_takes(PolicyAction action, PurgeScope scope, bool another)
    {
        var source = Configured.AsItIs().Settings().Sources[0];
        var policy = source.Policies[0] with { Action = action, Scope = scope };

        Assert.Equal(another, Of("deleted_at") != Of("hidden_at"));

        string Of(string deleted) =>
            PolicyHash.Of(
                source with
                {
                    Map = source.Map with { Children = [.. source.Map.Children.Select(c => c with { Deleted = deleted })] },
                },
                policy
            );
    }
}
