using System.Net;
using Microsoft.Extensions.Options;
using Promotions.Admin.Hosting;

namespace Promotions.Admin.SignIn;

/// <summary>Bounds wrong keys, per address and overall. A try counts from its beginning, so that many at once are no way around; a right key takes its address's tries back.</summary>
/// <remarks>Keeps at most <see cref="AdminOptions.SignInTriesMax"/> entries. Behind a proxy all addresses are one, and the bound of an address holds for everybody.</remarks>
public sealed class SignInAttempts(IOptions<AdminOptions> options, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly List<(DateTimeOffset At, IPAddress? From)> _tries = [];       // oldest first

    /// <param name="wait">How long until the next try is allowed; zero when this one is.</param>
    public bool TryBegin(IPAddress? from, out TimeSpan wait)
    {
        var now = time.GetUtcNow();
        var window = options.Value.SignInWindow;
        lock (_gate)
        {
            _tries.RemoveAll(one => one.At <= now - window);
            wait = Wait(_tries, options.Value.SignInTriesMax);
            var own = Wait(_tries.FindAll(one => Equals(one.From, from)), options.Value.SignInTriesPerAddressMax);
            if (own > wait) wait = own;
            if (wait > TimeSpan.Zero) return false;
            _tries.Add((now, from));
            return true;
        }

        // Full: the next is allowed when so many have left that one fits.
        TimeSpan Wait(List<(DateTimeOffset At, IPAddress? From)> tries, int max) => tries.Count < max ? TimeSpan.Zero : tries[tries.Count - max].At + window - now;
    }

    public void Succeeded(IPAddress? from)
    {
        lock (_gate) _tries.RemoveAll(one => Equals(one.From, from));
    }
}
