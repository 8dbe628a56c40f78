namespace Promotions.Ledger.Sqlite.Tests.Disk;

/// <summary>Knows of each file what a power loss would leave: what was synced, and beside it what was written since. Pure; safe from any thread.</summary>
/// <remarks>A file that was never synced is not there afterwards. A deletion takes effect at once. A write never touches bytes beside its own, as SQLite
/// assumes of today's disks (powersafe overwrite).</remarks>
internal sealed class SimulatedDisk
{
    private const int SectorBytes = 512;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Image> _images = new(StringComparer.Ordinal);
    private long? _room;

    /// <summary>Called with the number of each write, truncation and sync, before it counts, while the disk stands still.</summary>
    public Action<long>? Before { get; set; }

    public long Operations { get; private set; }

    /// <summary>Bytes by which files may still grow; more is refused as by a full disk. Null: no end to it.</summary>
    public long? Room
    {
        get { lock (_gate) return _room; }
        set { lock (_gate) _room = value; }
    }

    /// <summary>Files that have no room to grow whatever is free; null for none.</summary>
    public Func<string, bool>? Refuse { get; set; }

    /// <summary>How often the disk was full.</summary>
    public int Refused { get; private set; }

    /// <summary>Takes note of a file; what is in it when it is first opened counts as synced.</summary>
    public void Opened(string path)
    {
        lock (_gate)
            if (!_images.ContainsKey(path)) _images.Add(path, new(File.Exists(path) ? File.ReadAllBytes(path) : []) { Exists = File.Exists(path) && new FileInfo(path).Length > 0 });
    }

    public void Deleted(string path)
    {
        lock (_gate) _images.Remove(path);
    }

    /// <returns>False: the disk is full and nothing was written.</returns>
    public bool Write(string path, long offset, ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            Count();
            var image = _images[path];
            var growth = Math.Max(0, offset + bytes.Length - image.Length);
            if (growth > _room || (growth > 0 && Refuse?.Invoke(path) is true))
            {
                Refused++;
                return false;
            }

            _room -= growth;
            image.Length += growth;
            image.Unsynced.Add(new(offset, bytes.ToArray()));
            return true;
        }
    }

    public void Truncate(string path, long length)
    {
        lock (_gate)
        {
            Count();
            var image = _images[path];
            _room += Math.Max(0, image.Length - length);
            image.Length = length;
            image.Unsynced.Add(new(length, null));
        }
    }

    public void Sync(string path)
    {
        lock (_gate)
        {
            Count();
            var image = _images[path];
            foreach (var change in image.Unsynced) image.Synced = change.ApplyTo(image.Synced);
            image.Unsynced.Clear();
            image.Exists = true;
        }
    }

    /// <summary>The files as a power loss at this moment leaves them, by path.</summary>
    /// <param name="torn">Null: nothing that was not synced is there. Otherwise each sector of it is there or not, as the dice fall, the file's size too.</param>
    public IReadOnlyDictionary<string, byte[]> AfterPowerLoss(Random? torn)
    {
        var left = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        lock (_gate)
            foreach (var (path, image) in _images)
            {
                if (!image.Exists && torn?.Next(2) is null or 0) continue;
                var bytes = image.Synced.AsSpan().ToArray();
                if (torn is not null)
                    foreach (var change in image.Unsynced)
                        foreach (var part in change.Sectors(SectorBytes))
                            if (torn.Next(2) == 1) bytes = part.ApplyTo(bytes);
                left.Add(path, bytes);
            }

        return left;
    }

    private void Count() => Before?.Invoke(++Operations);

    private sealed class Image(byte[] synced)
    {
        public byte[] Synced { get; set; } = synced;
        public bool Exists { get; set; }
        public long Length { get; set; } = synced.Length;
        public List<Change> Unsynced { get; } = [];
    }

    /// <param name="Bytes">Null: the file ends at the offset.</param>
    private readonly record struct Change(long Offset, byte[]? Bytes)
    {
        public byte[] ApplyTo(byte[] file)
        {
            if (Bytes is null)
            {
                Array.Resize(ref file, (int)Offset);
                return file;
            }

            if (Offset + Bytes.Length > file.Length) Array.Resize(ref file, (int)Offset + Bytes.Length);
            Bytes.CopyTo(file, Offset);
            return file;
        }

        public IEnumerable<Change> Sectors(int size)
        {
            if (Bytes is null)
            {
                yield return this;
                yield break;
            }

            for (var from = 0; from < Bytes.Length;)
            {
                var end = (int)Math.Min(Bytes.Length, (((Offset + from) / size) + 1) * size - Offset);
                yield return new(Offset + from, Bytes[from..end]);
                from = end;
            }
        }
    }
}
