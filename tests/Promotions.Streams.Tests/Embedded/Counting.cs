using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Promotions.Streams.State;
using Promotions.Streams.Tests.State;

namespace Promotions.Streams.Tests.Embedded;

/// <summary>An event for tests: add an amount at a key. −1 is given up before state is touched, −2 fails after.</summary>
internal readonly record struct Addition(int Key, long Amount)
{
    public const long GivenUp = -1;
    public const long FailsLate = -2;

    /// <summary>What the log refuses when it is deferred.</summary>
    public const long Refused = -3;

    public byte[] ToBytes()
    {
        var output = new ArrayBufferWriter<byte>();
        new AdditionCodec().Encode(this, output);
        return output.WrittenSpan.ToArray();
    }
}

internal sealed class AdditionCodec : ICodec<Addition>
{
    public void Encode(in Addition value, IBufferWriter<byte> output)
    {
        var span = output.GetSpan(12);
        BinaryPrimitives.WriteInt32LittleEndian(span, value.Key);
        BinaryPrimitives.WriteInt64LittleEndian(span[4..], value.Amount);
        output.Advance(12);
    }

    public Addition Decode(ReadOnlySpan<byte> bytes) => bytes.Length == 12
        ? new(BinaryPrimitives.ReadInt32LittleEndian(bytes), BinaryPrimitives.ReadInt64LittleEndian(bytes[4..]))
        : throw new InvalidDataException($"An addition has 12 bytes, not {bytes.Length}.");
}

internal sealed class KeyCodec : ICodec<int>
{
    public void Encode(in int value, IBufferWriter<byte> output)
    {
        BinaryPrimitives.WriteInt32LittleEndian(output.GetSpan(4), value);
        output.Advance(4);
    }

    public int Decode(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt32LittleEndian(bytes);
}

/// <summary>additions, outcomes → by key → count → totals, and a processor before the sink that is only there for it.</summary>
internal static class Counting
{
    /// <param name="told">Counts the runs of the processor that is there for the sink alone.</param>
    public static Topology Topology(long cacheBytes = 1 << 20, StrongBox<int>? told = null)
    {
        var builder = new TopologyBuilder();
        var additions = builder.Source<int, Addition>("additions", "additions", new AdditionCodec(), a => a.Key);
        var outcomes = builder.Source<int, Addition>("outcomes", "outcomes", new AdditionCodec(), a => a.Key);
        var byKey = builder.Repartition("by-key", "additions-by-key", new KeyCodec(), new AdditionCodec(), additions, outcomes);
        var count = builder.Processor("count", () => new Count(), byKey);
        builder.Store(new StoreDefinition<int, Counter>("counters", 1, new CounterSerde(), cacheBytes), "count");
        var tell = builder.Processor("tell", () => new Tell(told ?? new()), count);
        return builder.Sink("totals", "totals", new AdditionCodec(), tell).Build();
    }

    private sealed class Tell(StrongBox<int> times) : IProcessor<int, Addition, int, Addition>
    {
        private IProcessorContext<int, Addition> _context = null!;
        public void Init(IProcessorContext<int, Addition> context) => _context = context;
        public void Process(in Record<int, Addition> record)
        {
            times.Value++;
            _context.Forward(record);
        }
    }

    private sealed class Count : IProcessor<int, Addition, int, Addition>
    {
        private IProcessorContext<int, Addition> _context = null!;
        private KeyedStore<int, Counter> _counters = null!;

        public void Init(IProcessorContext<int, Addition> context) => (_context, _counters) = (context, context.Store<int, Counter>("counters"));

        public void Process(in Record<int, Addition> record)
        {
            if (record.Value.Amount == Addition.GivenUp) _context.DeadLetter("given up");
            var total = _counters.Get(record.Key).Add(record.At, record.Value.Amount);
            if (record.Value.Amount == Addition.FailsLate) throw new InvalidOperationException("failed late");
            _context.AddStateHash(unchecked((ulong)total * 31 + (ulong)record.Key + 7));
            _context.Forward(record.With(new Addition(record.Key, total)));
        }
    }
}
