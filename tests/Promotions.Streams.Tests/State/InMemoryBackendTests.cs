using Promotions.Streams.State;

namespace Promotions.Streams.Tests.State;

public sealed class InMemoryBackendTests : BackendContract
{
    protected override IStateBackend Create() => new InMemoryBackend();
    protected override IStateBackend Reopen(IStateBackend backend) => backend;
}
