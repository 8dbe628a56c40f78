using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Promotions.Domain;
using Promotions.Features;
using Promotions.Streams;
using Promotions.Streams.State;

namespace Promotions.Velocity;

/// <summary>How often and for how much: per request and entity, over the hour and the day before. What the Kafka driver is measured with, beside Kafka Streams.</summary>
/// <remarks><code>requests ─► to-entities ─► observations (by entity) ─► observe ─► partials (by request) ─► gather ─► output</code></remarks>
public static class VelocityTopology
{
    /// <param name="cacheBytes">Memory of each store, per partition. Unit: bytes.</param>
    public static Topology Build(string input, string output, long cacheBytes = 64L << 20)
    {
        var builder = new TopologyBuilder();
        var requests = builder.Source("requests", input, new VelocityEventDecoder(), static e => e.Customer);
        var observations = builder.Processor("to-entities", static () => new ToEntities(), requests);
        var byEntity = builder.Repartition("by-entity", "observations", new EntityKeyCodec(), new ObservationCodec(), observations);
        var parts = builder.Processor("observe", static () => new Observe(), byEntity);
        builder.Store(new StoreDefinition<EntityKey, EntityVelocity>("velocity", 1, new EntityVelocitySerde(), cacheBytes), "observe");
        var byRequest = builder.Repartition("by-request", "partials", new IdCodec(), new PartCodec(), parts);
        var gathered = builder.Processor("gather", static () => new Gather(), byRequest);
        builder.Store(new StoreDefinition<UInt128, RequestParts>("gather", 2, new RequestPartsSerde(), cacheBytes), "gather");
        return builder.Sink("output", output, new JsonCodec(), gathered).Build();
    }

    private sealed class ToEntities : IProcessor<string, VelocityEvent, EntityKey, SeenEvent>
    {
        private IProcessorContext<EntityKey, SeenEvent> _context = null!;

        public void Init(IProcessorContext<EntityKey, SeenEvent> context) => _context = context;

        public void Process(in Record<string, VelocityEvent> record)
        {
            var seen = record.Value;
            foreach (var kind in VelocityEvent.Kinds) _context.Forward(new(seen.KeyOf(kind), new(seen.Id, seen.Amount, seen.At), record.At));
        }
    }

    private sealed class Observe : IProcessor<EntityKey, SeenEvent, string, Part>
    {
        private IProcessorContext<string, Part> _context = null!;
        private KeyedStore<EntityKey, EntityVelocity> _entities = null!;

        public void Init(IProcessorContext<string, Part> context) => (_context, _entities) = (context, context.Store<EntityKey, EntityVelocity>("velocity"));

        public void Process(in Record<EntityKey, SeenEvent> record)
        {
            var (id, amount, at) = record.Value;
            var counts = _entities.Get(record.Key).Observe(at.UnixMilliseconds, amount, XxHash3.HashToUInt64(MemoryMarshal.AsBytes(id.AsSpan())));
            _context.Forward(new(id, new((byte)Array.IndexOf(VelocityEvent.Kinds, record.Key.Kind), counts), record.At));
        }
    }

    private sealed class Gather : IProcessor<string, Part, string, VelocityAnswer>
    {
        private IProcessorContext<string, VelocityAnswer> _context = null!;
        private KeyedStore<UInt128, RequestParts> _requests = null!;

        public void Init(IProcessorContext<string, VelocityAnswer> context) => (_context, _requests) = (context, context.Store<UInt128, RequestParts>("gather"));

        public void Process(in Record<string, Part> record)
        {
            var request = _requests.Get(RequestPartsSerde.KeyOf(record.Key));
            if (request.Add(record.Value.Kind, record.Value.Counts)) _context.Forward(new(record.Key, new(record.Key, request.Parts.ToArray()), record.At));
        }
    }

    private readonly record struct SeenEvent(string Id, long Amount, EventTime At);

    private readonly record struct Part(byte Kind, Counts Counts);

    private sealed record VelocityAnswer(string Id, Counts[] Parts);

    private sealed class IdCodec : ICodec<string>
    {
        public void Encode(in string value, IBufferWriter<byte> output) => Encoding.UTF8.GetBytes(value, output);
        public string Decode(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
    }

    private sealed class EntityKeyCodec : ICodec<EntityKey>
    {
        public void Encode(in EntityKey value, IBufferWriter<byte> output)
        {
            value.WriteTo(output.GetSpan(EntityKey.Length));
            output.Advance(EntityKey.Length);
        }

        public EntityKey Decode(ReadOnlySpan<byte> bytes) => bytes.Length == EntityKey.Length ? EntityKey.ReadFrom(bytes) : throw new InvalidDataException($"An entity key has {EntityKey.Length} bytes, not {bytes.Length}.");
    }

    private sealed class ObservationCodec : ICodec<SeenEvent>
    {
        public void Encode(in SeenEvent value, IBufferWriter<byte> output)
        {
            var to = output.GetSpan(16);
            BinaryPrimitives.WriteInt64LittleEndian(to, value.Amount);
            BinaryPrimitives.WriteInt64LittleEndian(to[8..], value.At.UnixMilliseconds);
            output.Advance(16);
            Encoding.UTF8.GetBytes(value.Id, output);
        }

        public SeenEvent Decode(ReadOnlySpan<byte> bytes) => bytes.Length > 16
            ? new(Encoding.UTF8.GetString(bytes[16..]), BinaryPrimitives.ReadInt64LittleEndian(bytes), new(BinaryPrimitives.ReadInt64LittleEndian(bytes[8..])))
            : throw new InvalidDataException($"{bytes.Length} bytes are no observation.");
    }

    private sealed class PartCodec : ICodec<Part>
    {
        private const int Length = 17;

        public void Encode(in Part value, IBufferWriter<byte> output)
        {
            var to = output.GetSpan(Length);
            to[0] = value.Kind;
            BinaryPrimitives.WriteInt32LittleEndian(to[1..], value.Counts.Hour);
            BinaryPrimitives.WriteInt32LittleEndian(to[5..], value.Counts.Day);
            BinaryPrimitives.WriteInt64LittleEndian(to[9..], value.Counts.SumDay);
            output.Advance(Length);
        }

        public Part Decode(ReadOnlySpan<byte> bytes) => bytes.Length == Length
            ? new(bytes[0], new(BinaryPrimitives.ReadInt32LittleEndian(bytes[1..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[5..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[9..])))
            : throw new InvalidDataException($"{bytes.Length} bytes are no part.");
    }

    private sealed class JsonCodec : ICodec<VelocityAnswer>
    {
        private static readonly JsonEncodedText[] Names = [JsonEncodedText.Encode("customer"), JsonEncodedText.Encode("device"), JsonEncodedText.Encode("ip"), JsonEncodedText.Encode("coupon")];
        private static readonly JsonEncodedText IdName = JsonEncodedText.Encode("id");

        public void Encode(in VelocityAnswer value, IBufferWriter<byte> output)
        {
            using var json = new Utf8JsonWriter(output);
            json.WriteStartObject();
            json.WriteString(IdName, value.Id);
            for (var i = 0; i < Names.Length; i++)
            {
                json.WriteStartArray(Names[i]);
                json.WriteNumberValue(value.Parts[i].Hour);
                json.WriteNumberValue(value.Parts[i].Day);
                json.WriteNumberValue(value.Parts[i].SumDay);
                json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        public VelocityAnswer Decode(ReadOnlySpan<byte> bytes) => throw new NotSupportedException("Nothing of this topology reads its output.");
    }
}
