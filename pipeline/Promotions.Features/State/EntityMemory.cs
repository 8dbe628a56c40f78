namespace Promotions.Features.State;

/// <summary>What one entity keeps: its slab, and, once it is hot, what has outgrown it. Lives inside <see cref="EntityState"/>.</summary>
internal struct EntityMemory(in EntityKey key, ITileReader reader, EntityPlan plan)
{
    private readonly UInt128 _hash = key.Hash;
    public readonly EntityPlan Plan = plan;
    public readonly ITileReader Reader = reader;

    /// <summary>Set by <see cref="Forget"/> or by reading a root tile.</summary>
    public Slab Slab = default;

    /// <summary>Null of a typical entity.</summary>
    public Branches? Branches;

    public readonly EntityKey Key => new(Plan.Kind, _hash);
    public readonly long SizeBytes => Slab.SizeBytes + (Branches?.SizeBytes ?? 0);

    public readonly SeriesTree? Tree(int series) => Branches?.Trees[series];

    public Branches Branch() => Branches ??= new(Key, Reader);

    /// <summary>Starts with nothing known.</summary>
    public void Forget()
    {
        Slab.Recycle();
        Slab = Plan.NewSlab();
        Branches = null;
    }
}
