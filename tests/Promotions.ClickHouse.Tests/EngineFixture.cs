using Microsoft.Extensions.Logging.Abstractions;
using Promotions.Analytics.Hosting;
using Promotions.ClickHouse.Tests;

[assembly: AssemblyFixture(typeof(EngineFixture))]

namespace Promotions.ClickHouse.Tests;

/// <summary>One real engine for the protocol's tests, with a password, as the server runs it.</summary>
public sealed class EngineFixture : IAsyncLifetime
{
    public const string Password = "only-for-tests";

    private readonly string _folder = Directory.CreateTempSubdirectory("promotions-clickhouse-").FullName;
    private EmbeddedClickHouse? _engine;
    private string? _library, _missing;

    public string Library
    {
        get
        {
            if (_library is null) Assert.Skip(_missing!);
            return _library;
        }
    }

    public EmbeddedClickHouse Engine => Library.Length > 0 ? _engine! : throw new InvalidOperationException();

    public string NewFolder(string name) => Path.Combine(_folder, name);

    public async ValueTask InitializeAsync()
    {
        (_library, _missing) = await ChdbLibrary.FindAsync();
        if (_library is null)
        {
            if (Environment.GetEnvironmentVariable("CI") == "true") throw new InvalidOperationException(_missing);
            return;
        }

        _engine = EmbeddedClickHouse.Start(new() { LibraryPath = _library, DataFolder = NewFolder("protocol"), Password = Password }, TimeProvider.System, NullLogger<EmbeddedClickHouse>.Instance);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await _engine.WaitReadyAsync(patience.Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (_engine is not null) await _engine.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
