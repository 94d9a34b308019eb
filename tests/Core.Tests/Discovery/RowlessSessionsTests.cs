namespace Archiver.Core.Tests.Discovery;

public sealed class RowlessSessionsTests
{
    [Fact]
    public void Messages_whose_sessions_have_no_row_make_them()
    {
        var proposal = Catalog
            .Of("message_store(id int pk, session_id text!, message text!, created_at timestamptz!)", "notes(id int pk, session_id text)")
            .Guess()
            .Best!;

        Assert.Equal(
            ("messages", "session_id", "created_at"),
            (proposal.Session.From, proposal.Session.Key, proposal.Session.Activity[0].Column)
        );
        var child = Assert.Single(proposal.Children);
        Assert.Equal(("messages", "session", null, "id"), (child.Name, child.Parent, child.ForeignKey, child.Key));
        Assert.Equal(["created_at", "id"], child.Order);
        Assert.Single(proposal.Tables);
        Assert.Contains("public.notes.session_id", Assert.Single(proposal.LeftOut), StringComparison.Ordinal);
    }

    [Fact]
    public void A_history_whose_id_is_a_foreign_key_makes_no_sessions() =>
        Assert.Null(
            Catalog
                .Of(
                    "baskets(id uuid pk, created_at timestamptz!)",
                    "basket_history(id int pk, session_id uuid! -> baskets, data text, created_at timestamptz!)"
                )
                .Guess()
                .Best
        );
}
