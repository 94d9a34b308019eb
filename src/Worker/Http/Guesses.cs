using System.Net;
using System.Net.Sockets;

namespace Archiver.Worker.Http;

/// <summary>
/// Slows down whoever tries keys: after so many wrong ones from an address nothing from there is compared any more for the rest of a
/// minute, the right key included, or the answers would still tell. Behind a proxy all clients have one address: there the proxy has to do
/// this.
/// </summary>
internal sealed class Guesses(TimeProvider time)
{
    /// <summary>Wrong keys an address and minute.</summary>
    public const int Allowed = 30;

    private const int MostAddresses = 10_000;

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, (int Wrong, DateTimeOffset Until)> _addresses = [];

    /// <summary>Whether the key is right; null when it was not even looked at.</summary>
    public bool? Try(IPAddress? address, Func<bool> isRight)
    {
        var from = Network(address ?? IPAddress.None);
        // One at a time: many connections at once would each get in before the first is counted.
        lock (_lock)
        {
            var now = time.GetUtcNow();
            var (wrong, until) = _addresses.TryGetValue(from, out var known) && known.Until > now ? known : (0, now + Minute);
            if (wrong >= Allowed)
                return null;
            if (isRight())
                return true;
            if (_addresses.Count >= MostAddresses)
                Forget(now);
            _addresses[from] = (wrong + 1, until);
            return false;
        }
    }

    private void Forget(DateTimeOffset now)
    {
        foreach (var (address, _) in _addresses.Where(a => a.Value.Until <= now).ToList())
            _addresses.Remove(address);
        // So many at once are an attack, whose memory is not ours to keep.
        if (_addresses.Count >= MostAddresses)
            _addresses.Clear();
    }

    // Whoever has one IPv6 address has 2^64 of them.
    private static IPAddress Network(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new(bytes);
    }
}
