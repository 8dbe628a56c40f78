using System.Security.Cryptography;
using Npgsql;
using Promotions.Ledger.Audit;
using Promotions.Ledger.Booking;
using Promotions.Ledger.Formats;
using Promotions.Ledger.Postgres.Storage;
using Promotions.Ledger.Verification;

namespace Promotions.Ledger.Postgres.Verification;

/// <summary>The audit tree, computed again from the rows that its leaves speak of, in the order of their places.</summary>
internal sealed class AuditCheck(NpgsqlConnection connection, Findings findings)
{
    private const int EntriesPerRead = 2_000;

    private readonly AuditLeaf _leaf = new();
    private readonly MerkleTree _tree = new();
    private readonly Dictionary<(int, long), byte[]> _nodes = [];

    public async Task RunAsync(string? keyPath, CancellationToken cancellationToken)
    {
        var checkpoints = (await ReadAsync("SELECT size, root, note FROM checkpoint", row => (Size: row.GetInt64(0), Root: row.GetFieldValue<byte[]>(1), Note: row.GetString(2)), [], cancellationToken).ConfigureAwait(false))
            .ToDictionary(c => c.Size);
        using var key = keyPath is null ? null : CheckpointKey.Open(keyPath);
        while (true)
        {
            var entries = await ReadAsync("""
                SELECT e.id, e.recorded_at, e.kind, e.command_id, e.actor_kind, e.actor_id, e.channel, e.api_key_id, e.content, e.topic, e.key, e.value, e.at, e.state_hash, e.refusal, e.detail, e.leaf, l.position
                FROM leaf l JOIN entry e ON e.id = l.entry WHERE l.position > $1 ORDER BY l.position LIMIT $2
                """, ReadEntry, [_tree.Size, EntriesPerRead], cancellationToken).ConfigureAwait(false);
            if (entries.Count == 0) break;
            await CheckAsync(entries, checkpoints, key, cancellationToken).ConfigureAwait(false);
        }

        foreach (var size in checkpoints.Keys) findings.Add("checkpoints_match_the_tree", $"a checkpoint was signed for {size} leaves, there are {_tree.Size}");
        foreach (var node in await ReadAsync("SELECT level, idx, hash FROM tree", row => (Level: row.GetInt32(0), Index: row.GetInt64(1), Hash: row.GetFieldValue<byte[]>(2)), [], cancellationToken).ConfigureAwait(false))
            if (!_nodes.Remove((node.Level, node.Index), out var hash) || !hash.AsSpan().SequenceEqual(node.Hash)) findings.Add("tree_nodes", $"level {node.Level} index {node.Index} is not what the leaves give");
        if (_nodes.Count > 0) findings.Add("tree_nodes", $"{_nodes.Count} nodes are missing");
        var edge = await ReadAsync("SELECT edge FROM head", row => row.GetFieldValue<byte[]>(0), [], cancellationToken).ConfigureAwait(false);
        if (!edge.Single().AsSpan().SequenceEqual(_tree.Edge.SelectMany(h => h).ToArray())) findings.Add("head_is_the_trees_edge", $"size {_tree.Size}");
    }

    private sealed record Entry(LeafHeader Header, byte[] Leaf, long Place);

    private static Entry ReadEntry(NpgsqlDataReader row) => new(
        new(row.GetInt64(0), row.GetInt64(1), (CommandKind)row.GetInt16(2), row.GetString(3), new(row.GetString(4), row.GetString(5)), Rows.OptionalText(row, 6), Rows.OptionalText(row, 7),
            row.GetFieldValue<byte[]>(8), Rows.OptionalText(row, 9), row.GetString(10), SHA256.HashData(row.GetFieldValue<byte[]>(11)), row.GetInt64(12), unchecked((ulong)row.GetInt64(13)),
            (LedgerRefusal)row.GetInt16(14), Rows.OptionalText(row, 15)),
        row.GetFieldValue<byte[]>(16), row.GetInt64(17));

    private async Task CheckAsync(IReadOnlyList<Entry> entries, Dictionary<long, (long Size, byte[] Root, string Note)> checkpoints, CheckpointKey? key, CancellationToken cancellationToken)
    {
        object[] ids = [entries.Select(e => e.Header.Position).ToArray()];
        var decisions = (await ReadAsync("SELECT entry, status, refusal, decided_at, hold_expires_at, document, vector FROM decision WHERE entry = ANY($1)", row =>
            (Entry: row.GetInt64(0), Status: (byte)row.GetInt16(1), Refusal: row.GetInt16(2), At: row.GetInt64(3), Expires: Rows.OptionalLong(row, 4),
                Hash: PreparedCommand.HashOf(row.GetFieldValue<byte[]>(5), row.GetFieldValue<byte[]>(6))), ids, cancellationToken).ConfigureAwait(false)).ToDictionary(d => d.Entry);
        var postings = (await ReadAsync("SELECT entry, debit, credit, amount FROM posting WHERE entry = ANY($1) ORDER BY entry, line", row =>
            (Entry: row.GetInt64(0), Debit: row.GetInt64(1), Credit: row.GetInt64(2), Amount: row.GetInt64(3)), ids, cancellationToken).ConfigureAwait(false)).ToLookup(p => p.Entry);
        var moves = (await ReadAsync("SELECT m.entry, m.lot, m.kind, m.amount, l.account, l.earned_at, l.expires_at, l.origin FROM lot_move m JOIN lot l ON l.id = m.lot WHERE m.entry = ANY($1) ORDER BY m.entry, m.line", row =>
            (Entry: row.GetInt64(0), Lot: row.GetInt64(1), Kind: (byte)row.GetInt16(2), Amount: row.GetInt64(3), Account: row.GetInt64(4), EarnedAt: row.GetInt64(5), ExpiresAt: Rows.OptionalLong(row, 6), Origin: row.GetString(7)),
            ids, cancellationToken).ConfigureAwait(false)).ToLookup(m => m.Entry);
        var told = (await ReadAsync("SELECT entry, type, key, payload FROM outbox WHERE entry = ANY($1) ORDER BY entry, line", row =>
            (Entry: row.GetInt64(0), Type: row.GetString(1), Key: row.GetString(2), Payload: row.GetFieldValue<byte[]>(3)), ids, cancellationToken).ConfigureAwait(false)).ToLookup(o => o.Entry);
        foreach (var (header, stored, place) in entries)
        {
            var id = header.Position;
            findings.Count("audit_leaves");
            _leaf.Open(header);
            if (decisions.TryGetValue(id, out var decision)) _leaf.Decision(decision.Status, decision.Refusal, decision.At, decision.Expires, decision.Hash);
            else _leaf.NoDecision();
            _leaf.Count(postings[id].Count());
            foreach (var posting in postings[id]) _leaf.Posting(posting.Debit, posting.Credit, posting.Amount);
            _leaf.Count(moves[id].Count());
            foreach (var move in moves[id])
            {
                _leaf.LotMove(move.Lot, move.Kind, move.Amount);
                if ((LotMoveKind)move.Kind is LotMoveKind.Earn) _leaf.Earned(move.Account, move.EarnedAt, move.ExpiresAt, move.Origin);
                else _leaf.NotEarned();
            }

            _leaf.Count(told[id].Count());
            foreach (var row in told[id]) _leaf.Told(row.Type, row.Key, row.Payload);
            if (!_leaf.Hash().AsSpan().SequenceEqual(stored)) findings.Add("audit_leaves", $"entry {id}: its rows do not give its leaf");
            if (place != _tree.Size + 1) findings.Add("audit_positions_are_dense", $"place {place} follows {_tree.Size}");
            _tree.Append(stored, (level, index, hash) => _nodes[(level, index)] = hash);
            if (checkpoints.Remove(_tree.Size, out var checkpoint)) CheckCheckpoint(checkpoint.Root, checkpoint.Note, key);
        }
    }

    private void CheckCheckpoint(byte[] root, string note, CheckpointKey? key)
    {
        if (!root.AsSpan().SequenceEqual(_tree.Root())) findings.Add("checkpoints_match_the_tree", $"size {_tree.Size}: the signed root is not the tree's");
        if (key is null) return;
        var origin = note[..Math.Max(0, note.IndexOf('\n', StringComparison.Ordinal))];
        if (SignedCheckpoint.Verify(note, origin, key.PublicKey) is not { } signed || signed.Size != _tree.Size || !signed.Root.AsSpan().SequenceEqual(_tree.Root()))
            findings.Add("checkpoints_are_signed", $"size {_tree.Size}: the note's signature, size or root is wrong");
    }

    private async Task<List<T>> ReadAsync<T>(string sql, Func<NpgsqlDataReader, T> read, object[] values, CancellationToken cancellationToken)
    {
        var found = new List<T>();
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        await using var rows = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false)) found.Add(read(rows));
        return found;
    }
}
