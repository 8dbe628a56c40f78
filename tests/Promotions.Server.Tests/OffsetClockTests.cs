namespace Promotions.Server.Tests;

public class OffsetClockTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void Without_an_offset_the_clock_is_the_machines(string? text) => Assert.Same(TimeProvider.System, OffsetClock.From(text, TimeProvider.System));

    [Theory]
    [InlineData("3000", 3)]
    [InlineData("-120000", -120)]
    public void The_wall_clock_is_off_and_time_that_passes_is_not(string text, int seconds)
    {
        var wall = new StandingClock();
        var clock = OffsetClock.From(text, wall);
        Assert.Equal(wall.GetUtcNow().AddSeconds(seconds), clock.GetUtcNow());
        Assert.Equal(wall.GetTimestamp(), clock.GetTimestamp());
        Assert.Equal(wall.TimestampFrequency, clock.TimestampFrequency);
    }

    [Theory]
    [InlineData("3s")]
    [InlineData("3600001")]
    [InlineData("-3600001")]
    [InlineData("1.5")]
    public void What_is_no_offset_is_refused_by_name(string text)
    {
        var refusal = Assert.Throws<StartRefusedException>(() => OffsetClock.From(text, TimeProvider.System));
        Assert.Contains(OffsetClock.Variable, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(text, refusal.Message, StringComparison.Ordinal);
    }

    private sealed class StandingClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
        public override long GetTimestamp() => 12_345;
    }
}
