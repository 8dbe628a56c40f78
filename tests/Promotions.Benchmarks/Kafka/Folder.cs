namespace Promotions.Benchmarks.Kafka;

/// <summary>A folder for as long as a measurement lasts.</summary>
internal sealed class Folder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("promotions-bench-").FullName;

    public void Dispose()
    {
        if (Directory.Exists(Path)) Directory.Delete(Path, recursive: true);
    }
}
