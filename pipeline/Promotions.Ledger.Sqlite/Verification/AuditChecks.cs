using System.Security.Cryptography;
using NSec.Cryptography;
using Promotions.Ledger.Audit;
using Promotions.Ledger.Booking;
using Promotions.Ledger.Formats;
using Promotions.Ledger.Sqlite.Storage;
using Promotions.Ledger.Verification;

namespace Promotions.Ledger.Sqlite.Verification;

/// <summary>The audit tree, computed again from the rows that its leaves speak of.</summary>
internal sealed class AuditChecks(Db db, Findings findings)
{
    private readonly Statement _decision = db.Prepare("SELECT status, refusal, decided_at, hold_expires_at, document, vector FROM decision WHERE position = ?");
    private readonly Statement _postings = db.Prepare("SELECT debit, credit, amount FROM posting WHERE id >= ? AND id < ? ORDER BY id");
    private readonly Statement _moves = db.Prepare("SELECT m.lot, m.kind, m.amount, l.account, l.earned_at, l.expires_at, l.origin FROM lot_move m LEFT JOIN lot l ON l.id = m.lot WHERE m.id >= ? AND m.id < ? ORDER BY m.id");
    private readonly List<(long Debit, long Credit, long Amount)> _lines = [];
    private readonly AuditLeaf _leaf = new();
    private long _outbox;

    public void Run(string keyPath, string? origin) => findings.Run("audit_tree", () =>
    {
        var checkpoints = ReadCheckpoints();
        using var key = File.Exists(keyPath) ? Key.Import(SignatureAlgorithm.Ed25519, File.ReadAllBytes(keyPath), KeyBlobFormat.RawPrivateKey) : null;
        var tree = new MerkleTree();
        var nodes = new Dictionary<(int, long), byte[]>();
        var outbox = db.Prepare("SELECT position, entry, type, key, payload FROM outbox ORDER BY position");
        using var outboxScope = outbox.Scope();
        var more = outbox.Step();
        long stamp = 0;
        var told = new List<(string Type, string Key, byte[] Payload)>();
        var rows = db.Prepare("SELECT position, recorded_at, kind, command_id, actor_kind, actor_id, channel, api_key_id, content, topic, key, value, at, state_hash, refusal, detail, leaf FROM entry ORDER BY position");
        using (rows.Scope())
            while (rows.Step())
            {
                findings.Count("audit_leaves");
                var position = rows.Long(0);
                if (position != tree.Size + 1) findings.Add("audit_positions_are_dense", $"entry {position} follows {tree.Size}");
                if (rows.Long(1) <= stamp) findings.Add("audit_stamps_rise", $"entry {position}: {rows.Long(1)} after {stamp}");
                stamp = rows.Long(1);
                told.Clear();
                while (more && outbox.Long(1) <= position)
                {
                    findings.Count("outbox_rows");
                    if (outbox.Long(0) != ++_outbox) findings.Add("outbox_positions_are_dense", $"row {outbox.Long(0)} should be {_outbox}");
                    if (outbox.Long(1) == position) told.Add((outbox.Text(2), outbox.Text(3), outbox.Blob(4)));
                    else findings.Add("outbox_follows_the_log", $"row {outbox.Long(0)} names entry {outbox.Long(1)} behind {position}");
                    more = outbox.Step();
                }

                var leaf = HashOf(rows, told);
                if (!leaf.AsSpan().SequenceEqual(rows.BlobSpan(16))) findings.Add("audit_leaves", $"entry {position}: its rows do not give its leaf");
                tree.Append(rows.Blob(16), (level, index, hash) => nodes[(level, index)] = hash);
                if (checkpoints.Remove(tree.Size, out var checkpoint)) CheckCheckpoint(checkpoint, tree, key, origin);
            }

        if (more) findings.Add("outbox_follows_the_log", $"row {outbox.Long(0)} names entry {outbox.Long(1)}, which is not there");
        foreach (var size in checkpoints.Keys) findings.Add("checkpoints_match_the_tree", $"a checkpoint was signed for {size} leaves, there are {tree.Size}");
        CheckNodes(nodes);
    });

    private byte[] HashOf(Statement row, List<(string Type, string Key, byte[] Payload)> outbox)
    {
        var position = row.Long(0);
        _leaf.Open(new(position, row.Long(1), (CommandKind)row.Int(2), row.Text(3), new(row.Text(4), row.Text(5)), row.OptionalText(6), row.OptionalText(7), row.Blob(8),
            row.OptionalText(9), row.Text(10), SHA256.HashData(row.BlobSpan(11)), row.Long(12), unchecked((ulong)row.Long(13)), (LedgerRefusal)row.Int(14), row.OptionalText(15)));
        _decision.Bind(1, position);
        using (_decision.Scope())
        {
            if (_decision.Step())
                _leaf.Decision((byte)_decision.Int(0), (short)_decision.Int(1), _decision.Long(2), _decision.OptionalLong(3), PreparedCommand.HashOf(_decision.BlobSpan(4), _decision.BlobSpan(5)));
            else
                _leaf.NoDecision();
        }

        _lines.Clear();
        _postings.Bind(1, Rows.FirstLine(position)).Bind(2, Rows.FirstLine(position + 1));
        using (_postings.Scope())
            while (_postings.Step()) _lines.Add((_postings.Long(0), _postings.Long(1), _postings.Long(2)));
        _leaf.Count(_lines.Count);
        foreach (var (debit, credit, amount) in _lines) _leaf.Posting(debit, credit, amount);

        HashMoves(position);
        _leaf.Count(outbox.Count);
        foreach (var (type, key, payload) in outbox) _leaf.Told(type, key, payload);
        return _leaf.Hash();
    }

    private void HashMoves(long position)
    {
        var moves = new List<(long Lot, byte Kind, long Amount, long Account, long EarnedAt, long? ExpiresAt, string Origin)>();
        _moves.Bind(1, Rows.FirstLine(position)).Bind(2, Rows.FirstLine(position + 1));
        using (_moves.Scope())
            while (_moves.Step()) moves.Add((_moves.Long(0), (byte)_moves.Int(1), _moves.Long(2), _moves.Long(3), _moves.Long(4), _moves.OptionalLong(5), _moves.Text(6)));
        _leaf.Count(moves.Count);
        foreach (var move in moves)
        {
            _leaf.LotMove(move.Lot, move.Kind, move.Amount);
            if ((LotMoveKind)move.Kind is LotMoveKind.Earn) _leaf.Earned(move.Account, move.EarnedAt, move.ExpiresAt, move.Origin);
            else _leaf.NotEarned();
        }
    }

    private Dictionary<long, (byte[] Root, string Note)> ReadCheckpoints()
    {
        var found = new Dictionary<long, (byte[], string)>();
        var rows = db.Prepare("SELECT size, root, note FROM checkpoint");
        using (rows.Scope())
            while (rows.Step()) found.Add(rows.Long(0), (rows.Blob(1), rows.Text(2)));
        return found;
    }

    private void CheckCheckpoint((byte[] Root, string Note) checkpoint, MerkleTree tree, Key? key, string? origin)
    {
        findings.Count("checkpoints_match_the_tree");
        if (!checkpoint.Root.AsSpan().SequenceEqual(tree.Root())) findings.Add("checkpoints_match_the_tree", $"size {tree.Size}: the signed root is not the tree's");
        if (key is null) return;
        var name = origin ?? checkpoint.Note[..Math.Max(0, checkpoint.Note.IndexOf('\n', StringComparison.Ordinal))];
        if (SignedCheckpoint.Verify(checkpoint.Note, name, key.PublicKey) is not { } note || note.Size != tree.Size || !note.Root.AsSpan().SequenceEqual(tree.Root()))
            findings.Add("checkpoints_are_signed", $"size {tree.Size}: the note's signature, size or root is wrong");
    }

    private void CheckNodes(Dictionary<(int, long), byte[]> nodes)
    {
        var rows = db.Prepare("SELECT level, idx, hash FROM tree");
        using (rows.Scope())
            while (rows.Step())
            {
                findings.Count("tree_nodes");
                if (!nodes.Remove((rows.Int(0), rows.Long(1)), out var hash) || !hash.AsSpan().SequenceEqual(rows.BlobSpan(2)))
                    findings.Add("tree_nodes", $"level {rows.Int(0)} index {rows.Long(1)} is not what the leaves give");
            }

        if (nodes.Count > 0) findings.Add("tree_nodes", $"{nodes.Count} nodes are missing");
    }
}
