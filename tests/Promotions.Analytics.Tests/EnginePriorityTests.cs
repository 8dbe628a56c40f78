using System.Globalization;
using Promotions.Analytics.Hosting;

namespace Promotions.Analytics.Tests;

public sealed class EnginePriorityTests(EngineFixture engine)
{
    [Fact]
    public void Every_thread_of_the_engine_steps_back_for_decisions()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Niceness by thread is Linux's.");
        var niceness = Directory.EnumerateDirectories($"/proc/{engine.Engine.ProcessId}/task").Select(NicenessOf).OfType<int>().ToList();
        var expected = new EmbeddedClickHouseOptions { LibraryPath = "", DataFolder = "" }.Niceness;
        Assert.True(niceness.Count > 5);
        Assert.All(niceness, found => Assert.Equal(expected, found));
    }

    /// <returns>Null for a thread that ended meanwhile.</returns>
    private static int? NicenessOf(string task)
    {
        try
        {
            var stat = File.ReadAllText(Path.Combine(task, "stat"));
            // The 19th field; the second is a name in brackets, which may hold anything.
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[16], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
