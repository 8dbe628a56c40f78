using System.Net;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Promotions.Admin.Hosting;
using Promotions.Admin.SignIn;

namespace Promotions.Admin.Tests;

public class SignInAttemptsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly SignInAttempts _attempts;

    public SignInAttemptsTests() =>
        _attempts = new(Options.Create(new AdminOptions { SignInTriesPerAddressMax = 3, SignInTriesMax = 7, SignInWindow = TimeSpan.FromMinutes(5) }), _time);

    [Fact]
    public void An_address_has_so_many_tries_in_the_window_and_another_has_its_own()
    {
        foreach (var _ in Enumerable.Range(0, 3))
        {
            Assert.True(Try(1));
            _time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.False(_attempts.TryBegin(Address(1), out var wait));
        Assert.Equal(TimeSpan.FromMinutes(2), wait);        // the first of the three leaves the window then
        Assert.True(Try(2));
        _time.Advance(wait);
        Assert.True(Try(1));
        Assert.False(Try(1));
    }

    [Fact]
    public void All_addresses_together_have_a_bound_too_and_refused_tries_do_not_prolong_it()
    {
        for (var i = 0; i < 7; i++) Assert.True(Try(i));
        for (var i = 0; i < 50; i++) Assert.False(Try(100 + i));
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.True(Try(200));
    }

    [Fact]
    public void A_right_key_takes_back_the_typos_before_it()
    {
        Assert.True(Try(1) && Try(1) && Try(1));
        _attempts.Succeeded(Address(1));
        Assert.True(Try(1) && Try(1) && Try(1));
        Assert.False(Try(1));
    }

    private bool Try(int address) => _attempts.TryBegin(Address(address), out _);
    private static IPAddress Address(int number) => new([10, 0, 0, (byte)number]);
}
