using System.Net;
using Promotions.Contracts.Intake;
using Promotions.Domain;
using Promotions.Domain.Events;

namespace Promotions.Contracts.Tests;

public class IpDirectoryTests
{
    [Theory]
    [InlineData("1.2.3.4")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("1::")]
    [InlineData("2001:db8::1:0:0:1")]
    [InlineData("2001:db8:1:2:3:4:5:6")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("64:ff9b::192.0.2.33")]
    public void Addresses_are_read_as_the_framework_reads_them(string text)
    {
        Assert.True(IpText.TryParse(text, out var number));
        Assert.Equal(NumberOf(IPAddress.Parse(text)), number);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1.2.3")]
    [InlineData("1.2.3.4.5")]
    [InlineData("1.2.3.256")]
    [InlineData(":::")]
    [InlineData("1::2::3")]
    [InlineData("1:2:3:4:5:6:7")]
    [InlineData("1:2:3:4:5:6:7:8:9")]
    [InlineData("1:2:3:4:5:6:7::8")]
    [InlineData("12345::")]
    [InlineData("1.2.3.4:5::")]
    [InlineData("g::")]
    public void What_is_no_address_is_none(string text) => Assert.False(IpText.TryParse(text, out _));

    [Fact]
    public void Any_address_that_the_framework_writes_is_read_back()
    {
        var random = new Random(5);
        var bytes = new byte[16];
        for (var i = 0; i < 20_000; i++)
        {
            random.NextBytes(bytes);
            for (var zeros = random.Next(4); zeros > 0; zeros--) Array.Clear(bytes, random.Next(8) * 2, 2);
            var address = new IPAddress(i % 2 == 0 ? bytes : bytes[..4]);
            Assert.True(IpText.TryParse(address.ToString(), out var number), address.ToString());
            Assert.Equal(NumberOf(address), number);
        }
    }

    [Fact]
    public void An_address_has_the_country_of_its_range_as_a_walk_over_all_ranges_finds_it()
    {
        var random = new Random(3);
        var ranges = new List<(IpRange Range, Country Country)>();
        for (UInt128 at = 0; ranges.Count < 300; at += (UInt128)random.Next(1, 5))
        {
            var last = at + (UInt128)random.Next(4);
            ranges.Add((new(IpText.IPv4 + at, IpText.IPv4 + last), Country.FromNumber(random.Next(1, 4))));
            at = last;
        }
        var end = (uint)(ranges[^1].Range.Last - IpText.IPv4);
        var directory = new IpDirectory(ranges.OrderBy(_ => random.Next()));
        Assert.InRange(directory.CountryRanges, 100, 299);
        for (uint i = 0; i < end + 5; i++)
        {
            var address = IpText.IPv4 + i;
            var expected = ranges.FirstOrDefault(one => one.Range.First <= address && address <= one.Range.Last).Country;
            Assert.Equal((expected, IpFlags.None), directory.Find(IPAddress.Parse(i.ToString(System.Globalization.CultureInfo.InvariantCulture)).ToString()));
        }
    }

    [Fact]
    public void Lists_say_yes_no_or_nothing()
    {
        var hosting = IpRange.ReadList(new StringReader("# a comment\n203.0.113.0/24   # one\n\n2001:db8::/32\n198.51.100.7-198.51.100.9\n203.0.113.9\n"), "hosting");
        var directory = new IpDirectory([], hosting);
        Assert.Equal(IpFlags.HostingKnown | IpFlags.Hosting, directory.Find("203.0.113.255").Flags);
        Assert.Equal(IpFlags.HostingKnown | IpFlags.Hosting, directory.Find("2001:db8:ffff::1").Flags);
        Assert.Equal(IpFlags.HostingKnown | IpFlags.Hosting, directory.Find("198.51.100.9").Flags);
        Assert.Equal(IpFlags.HostingKnown, directory.Find("198.51.100.10").Flags);
        Assert.Equal(IpFlags.HostingKnown | IpFlags.TorKnown | IpFlags.Tor, new IpDirectory([], [], IpRange.ReadList(new StringReader("9.9.9.9"), "tor")).Find("9.9.9.9").Flags);
    }

    [Theory]
    [InlineData("203.0.113.0/33")]
    [InlineData("198.51.100.9-198.51.100.7")]
    [InlineData("example.org")]
    public void A_list_with_something_else_is_refused_by_line(string line)
    {
        var fault = Assert.Throws<FormatException>(() => IpRange.ReadList(new StringReader("1.1.1.1\n" + line), "tor.txt"));
        Assert.Contains("tor.txt, line 2", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_look_up_allocates_nothing()
    {
        var directory = new IpDirectory([(IpRange.OfPrefix(IpText.IPv4, 96), Country.FromNumber(7))], [], []);
        Assert.True(directory.Find("93.184.216.34").Country.IsKnown);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++)
        {
            directory.Find("93.184.216.34");
            directory.Find("2001:db8::8a2e:370:7334");
        }
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void What_the_caller_says_of_its_ip_stands_and_the_rest_is_looked_up_and_is_no_content()
    {
        var places = new IpDirectory([(IpRange.OfPrefix(IpText.IPv4, 96), Of("DE"))], [], []);
        var looked = Read(new() { Ip = "192.0.2.1" }, places);
        Assert.Equal(new AttemptOrigin(Of("DE"), Of("AT"), default, IpFlags.HostingKnown | IpFlags.TorKnown), looked.Origin);
        var said = Read(new() { Ip = "192.0.2.1", IpCountry = "NL", IpTor = true }, places);
        Assert.Equal(new AttemptOrigin(Of("NL"), Of("AT"), default, IpFlags.HostingKnown | IpFlags.TorKnown | IpFlags.Tor), said.Origin);
        var nothing = Read(new() { Ip = "192.0.2.1" }, null);
        Assert.Equal(new AttemptOrigin(default, Of("AT"), default, IpFlags.None), nothing.Origin);
        Assert.Equal(looked.RequestHash.ToArray(), said.RequestHash.ToArray());           // a retry after a new database is the same request
        Assert.Equal(looked.RequestHash.ToArray(), nothing.RequestHash.ToArray());
        Assert.NotEqual(looked.RequestHash.ToArray(), Read(new() { Ip = "192.0.2.1", ShippingCountry = "DE" }, places).RequestHash.ToArray());
    }

    private static RedemptionRequest Read(ContextBody context, IpDirectory? places)
    {
        var errors = new FieldErrors();
        var body = new RedemptionBody
        {
            Channel = "web", Customer = new() { Id = "c", Country = "AT" }, Context = context,
            Order = new() { Id = "o", Currency = "EUR", Items = [new() { Line = "1", Sku = "s", Quantity = 1, UnitPrice = new(100, "EUR") }] },
        };
        var request = RedemptionIntake.Read(body, AttemptKind.Redemption, new Caller("r", "k", EventTime.From(new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero)), null), errors, places);
        Assert.False(errors.Any);
        return request!;
    }

    private static Country Of(string code) => Country.TryParse(code, out var country) ? country : default;

    private static UInt128 NumberOf(IPAddress address)
    {
        UInt128 number = 0;
        foreach (var one in address.MapToIPv6().GetAddressBytes()) number = (number << 8) | one;
        return number;
    }
}
