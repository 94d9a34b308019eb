using System.Globalization;
using Archiver.Core.Status;

namespace Archiver.Worker.Output;

/// <summary>What the archive keeps and asks for, and what that costs, on one line.</summary>
internal static class CostText
{
    public static string Of(CostStatus cost)
    {
        var kept =
            $"kept: {Amount.Bytes(cost.Bytes)} in "
            + $"{Amount.Of(cost.Objects, "object")}{(cost.StorageAMonth is { } aMonth ? $", {Money(aMonth, cost)} a month" : "")}";
        var inAll = cost.RequestsInAll is { } money ? $", {Money(money, cost)}" : "";
        return cost is { Requests: { } requests, Since: { } since }
            ? $"{kept}; {Amount.Of(requests, "request")} since "
                + $"{since.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}{inAll}"
            : kept;
    }

    private static string Money(decimal amount, CostStatus cost) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"about {(amount is > 0 and < 0.01m ? "0.01" : amount.ToString("0.00", CultureInfo.InvariantCulture))} {cost.Currency}"
        );
}
