using Promotions.Streams.State;
using Promotions.Streams.Tests.Embedded;
using Promotions.Streams.Tests.State;

namespace Promotions.Streams.RocksDb.Tests;

public sealed class RocksDbBackendTests : BackendContract
{
    private readonly string _root = Directory.CreateTempSubdirectory("promotions-state-").FullName;
    private int _folders;

    protected override IStateBackend Create() => RocksDbBackend.Open(Path.Combine(_root, $"{_folders++}"));

    protected override IStateBackend Reopen(IStateBackend backend)
    {
        backend.Dispose();
        return RocksDbBackend.Open(Path.Combine(_root, $"{_folders - 1}"));
    }

    public override void Dispose()
    {
        base.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public void Two_openings_of_one_folder_are_refused()
    {
        using var first = Create();
        Assert.Throws<RocksDbSharp.RocksDbException>(() => RocksDbBackend.Open(Path.Combine(_root, "0")));
    }

    [Fact]
    public void State_that_another_build_wrote_in_another_form_is_cleared()
    {
        var folder = Path.Combine(_root, "foreign");
        using (var db = RocksDbSharp.RocksDb.Open(new RocksDbSharp.DbOptions().SetCreateIfMissing(true), folder))
        {
            db.Put((byte[])[0x00], new byte[16]);
            db.Put((byte[])[0x01, 0x02], (byte[])[0x03]);
        }

        using var state = RocksDbBackend.Open(folder);
        Assert.Equal((0L, 0UL), (state.Position, state.LayoutHash));
        Assert.Equal(0, state.Scan([0x01], 10, (_, _) => { }));
    }

    [Fact]
    public void Settings_out_of_range_are_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => RocksDbBackend.Open(Path.Combine(_root, "x"), RocksDbSettings.Default with { BlockCacheBytes = 1 }));
}

/// <summary>The driver dies, RocksDB is opened again from its folder.</summary>
public sealed class RocksDbCrashTests : CrashContract
{
    private readonly string _root = Directory.CreateTempSubdirectory("promotions-crash-").FullName;
    private int _folders;

    protected override IStateBackend Create() => RocksDbBackend.Open(Path.Combine(_root, $"{_folders++}"));

    protected override IStateBackend Reopen(IStateBackend backend)
    {
        backend.Dispose();
        return RocksDbBackend.Open(Path.Combine(_root, $"{_folders - 1}"));
    }

    public override void Dispose()
    {
        base.Dispose();
        Directory.Delete(_root, recursive: true);
    }
}
