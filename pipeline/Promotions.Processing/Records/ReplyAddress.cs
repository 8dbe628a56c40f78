namespace Promotions.Processing.Records;

/// <summary>Where an answer is waited for: a partition of the replies' topic, the process that reads it, and its own number for the question.</summary>
/// <param name="Partition">Of the replies' topic.</param>
/// <param name="Instance">The process's name for this run: others that read the partition leave the answer alone.</param>
/// <param name="Correlation">Unique in one run of the process.</param>
public sealed record ReplyAddress(int Partition, string Instance, long Correlation)
{
    internal void Write(in RecordWriter w)
    {
        w.Count(Partition);
        w.Text(Instance);
        w.Int64(Correlation);
    }

    internal static ReplyAddress Read(ref RecordReader r) => new(r.Count(), r.Text(), r.Int64());
}
