using Promotions.Features.State;

namespace Promotions.Features;

/// <summary>Features of one entity kind other than the registry's, computed by the fold that serves: to try a layout before it is served, or on foreign data.</summary>
/// <remarks>Its states live in memory: written state has the registry's layout.</remarks>
public sealed class FeatureTrial
{
    private readonly EntityPlan _plan;

    /// <param name="features">In the order of the part that <see cref="EntityState.Observe"/> fills; only entity, window, measure and source are read.</param>
    /// <exception cref="ArgumentException">A feature is the request's own or another kind's, or its window is outside 0 to 30 days.</exception>
    public FeatureTrial(EntityKind kind, IReadOnlyList<FeatureDefinition> features)
    {
        foreach (var feature in features)
        {
            if (feature.Entity != kind || feature.Measure is Measure.None or Measure.Request) throw new ArgumentException($"{feature.Name} is no feature of a {kind}.", nameof(features));
            if (feature.Window is < 0 or > Windows.ThirtyDays) throw new ArgumentException($"{feature.Name} asks for {feature.Window} ms; state keeps {Windows.ThirtyDays} ms.", nameof(features));
        }
        _plan = new(kind, features);
    }

    /// <summary>An entity of which nothing is known.</summary>
    public EntityState Start(string name) => new(EntityKey.Of(_plan.Kind, name), _plan);
}
