using System.Globalization;
using System.Text.Json;
using Promotions.Ledger.Audit;

namespace Promotions.Ledger.Tests;

/// <summary>Against vectors made by another implementation (see Vectors/merkle/README.md).</summary>
public sealed class MerkleVectorTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Vectors", "merkle");

    private static List<JsonElement> Cases(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, file)));
        return [.. document.RootElement.GetProperty("cases").EnumerateArray().Select(c => c.Clone())];
    }

    [Fact]
    public void Roots_and_append_state_are_those_of_the_vectors()
    {
        var tree = new MerkleTree();
        foreach (var c in Cases("roots.json"))
        {
            if (c.GetProperty("leaf").GetString() is { } leaf)
            {
                var hash = MerkleHash.Leaf(Convert.FromHexString(leaf));
                Assert.Equal(Hex(c, "leaf_hash"), hash);
                tree.Append(hash);
            }

            Assert.Equal(c.GetProperty("size").GetInt64(), tree.Size);
            Assert.Equal(Hex(c, "root"), tree.Root());
            Assert.Equal(c.GetProperty("range").EnumerateArray().Select(r => r.GetString()), tree.Edge.Select(Convert.ToHexStringLower));
        }

        Assert.Equal(64, tree.Size);
    }

    [Theory]
    [InlineData("inclusion.json", 50)]
    [InlineData("inclusion_corrupted.json", 100)]
    [InlineData("inclusion_large.json", 100)]
    public void Every_inclusion_proof_gets_the_verdict_of_the_vectors(string file, int atLeast)
    {
        var cases = Cases(file);
        Assert.True(cases.Count >= atLeast, $"only {cases.Count} cases");
        foreach (var c in cases)
        {
            var valid = MerkleVerifier.VerifyInclusion(Size(c, "index"), Size(c, "size"), Hex(c, "leaf_hash"), Proof(c), Hex(c, "root"));
            Assert.True(c.GetProperty("valid").GetBoolean() == valid, c.GetRawText());
        }
    }

    [Theory]
    [InlineData("consistency.json", 50)]
    [InlineData("consistency_corrupted.json", 100)]
    public void Every_consistency_proof_gets_the_verdict_of_the_vectors(string file, int atLeast)
    {
        var cases = Cases(file);
        Assert.True(cases.Count >= atLeast, $"only {cases.Count} cases");
        foreach (var c in cases)
        {
            var valid = MerkleVerifier.VerifyConsistency(Size(c, "size1"), Size(c, "size2"), Hex(c, "root1"), Hex(c, "root2"), Proof(c));
            Assert.True(c.GetProperty("valid").GetBoolean() == valid, c.GetRawText());
        }
    }

    [Fact]
    public void Made_proofs_equal_the_good_ones_of_the_vectors()
    {
        var store = new ListStore();
        foreach (var c in Cases("roots.json"))
            if (c.GetProperty("leaf_hash").GetString() is { } hash) store.Append(Convert.FromHexString(hash));
        var prover = new MerkleProver(store);
        foreach (var c in Cases("inclusion.json"))
        {
            if (c.GetProperty("case").GetString() != "good") continue;
            Assert.Equal(Proof(c).Select(Convert.ToHexStringLower), prover.Inclusion((long)Size(c, "index"), (long)Size(c, "size")).Select(Convert.ToHexStringLower));
        }

        foreach (var c in Cases("consistency.json"))
        {
            if (c.GetProperty("case").GetString() != "good" || Size(c, "size1") == 0) continue;
            Assert.Equal(Proof(c).Select(Convert.ToHexStringLower), prover.Consistency((long)Size(c, "size1"), (long)Size(c, "size2")).Select(Convert.ToHexStringLower));
        }
    }

    [Fact]
    public void Proofs_over_stored_levels_verify_in_a_tree_of_70_000_leaves()
    {
        var store = new ListStore();
        var tree = new MerkleTree();
        for (var i = 0; i < 70_000; i++)
        {
            var hash = MerkleHash.Leaf(BitConverter.GetBytes(i));
            store.Append(hash);
            tree.Append(hash, store.Complete);
        }

        var prover = new MerkleProver(store);
        Assert.Equal(tree.Root(), prover.Root(tree.Size));
        foreach (var index in new long[] { 0, 255, 256, 65_535, 65_536, 69_999 })
            Assert.True(MerkleVerifier.VerifyInclusion((ulong)index, (ulong)tree.Size, store.Read(0, index, 1)[0], prover.Inclusion(index, tree.Size), tree.Root()));
        foreach (var size in new long[] { 1, 256, 257, 65_536, 69_999 })
            Assert.True(MerkleVerifier.VerifyConsistency((ulong)size, (ulong)tree.Size, prover.Root(size), tree.Root(), prover.Consistency(size, tree.Size)));
    }

    private static ulong Size(JsonElement c, string name) =>
        c.GetProperty(name) is { ValueKind: JsonValueKind.Number } number ? number.GetUInt64() : ulong.Parse(c.GetProperty(name).GetString()!, CultureInfo.InvariantCulture);

    private static byte[] Hex(JsonElement c, string name) => Convert.FromHexString(c.GetProperty(name).GetString()!);
    private static List<byte[]> Proof(JsonElement c) => [.. c.GetProperty("proof").EnumerateArray().Select(p => Convert.FromHexString(p.GetString()!))];

    private sealed class ListStore : IMerkleStore
    {
        private readonly Dictionary<int, List<byte[]>> _levels = new() { [0] = [] };
        public void Append(byte[] hash) => _levels[0].Add(hash);

        public void Complete(int level, long index, byte[] hash)
        {
            if (!_levels.TryGetValue(level, out var hashes)) _levels.Add(level, hashes = []);
            Assert.Equal(index, hashes.Count);
            hashes.Add(hash);
        }

        public IReadOnlyList<byte[]> Read(int level, long first, int count) => _levels[level].GetRange((int)first, count);
    }
}
