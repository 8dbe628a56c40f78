using System.Globalization;
using Npgsql;

namespace Promotions.Ledger.Postgres.Storage;

/// <summary>Numbers that this process alone gives out, taken from a sequence of the database a block at a time. Used by the writer only.</summary>
/// <remarks>A transaction that is taken back gives its numbers back too (<see cref="Rewind"/>), so that one process alone numbers without gaps. A block that lay idle
/// is dropped: numbers then roughly follow time over all processes.</remarks>
internal sealed class Numbers(string sequence)
{
    private const int BlockSize = 4_096;
    private const long IdleMs = 10_000;

    private List<long> _blocks = [];   // the first number of each block not used up; the first block may be begun
    private long _used;                // numbers taken since the front of the first block
    private long _committed;
    private long _lastUse;

    /// <summary>The number that <see cref="Take"/> gives next.</summary>
    public long Peek => _blocks[(int)(_used / BlockSize)] + (_used % BlockSize);

    public long Take()
    {
        var number = Peek;
        _used++;
        return number;
    }

    /// <summary>Whether that many can be taken without asking the database.</summary>
    public bool Has(int count) => (_blocks.Count * (long)BlockSize) - _used >= count;

    /// <summary>Before a transaction: makes sure of so many numbers.</summary>
    public async Task EnsureAsync(NpgsqlConnection connection, int count, CancellationToken cancellationToken)
    {
        var now = Environment.TickCount64;
        if (now - _lastUse > IdleMs) Drop();
        _lastUse = now;
        while (!Has(count))
        {
            await using var command = new NpgsqlCommand(string.Create(CultureInfo.InvariantCulture, $"SELECT nextval('{sequence}')"), connection);
            _blocks.Add(checked(((long)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))! * BlockSize) + 1));
        }
    }

    /// <summary>What was taken is used for good.</summary>
    public void Commit()
    {
        var whole = (int)(_used / BlockSize);
        if (whole > 0) _blocks.RemoveRange(0, whole);
        _committed = _used %= BlockSize;
    }

    public void Rewind() => _used = _committed;

    /// <summary>Forgets all blocks: whether their numbers are used is not known.</summary>
    public void Drop() => (_blocks, _used, _committed) = ([], 0, 0);
}
