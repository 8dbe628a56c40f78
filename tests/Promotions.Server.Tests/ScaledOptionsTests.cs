using Promotions.Server.Scaled;

namespace Promotions.Server.Tests;

public class ScaledOptionsTests
{
    private const string Bootstrap = "127.0.0.1:9092";
    private const string Postgres = "Host=127.0.0.1;Database=promotions";

    [Fact]
    public void Without_brokers_and_database_everything_is_embedded() => Assert.Null(ScaledOptions.From(null, null, null, null));

    [Theory]
    [InlineData(null, Bootstrap, null, null, "the ledger is PostgreSQL")]
    [InlineData(null, null, Postgres, null, "whose log is Kafka")]
    [InlineData("pipeline", null, null, null, "Roles are for the scaled set")]
    [InlineData(null, null, null, "http://127.0.0.1:8123", "is used by the scaled set")]
    [InlineData("cashier", Bootstrap, Postgres, null, "There is no role 'cashier'")]
    [InlineData(" , ", Bootstrap, Postgres, null, "No role is named")]
    [InlineData(null, Bootstrap, Postgres, "127.0.0.1:8123", "ClickHouse's address is")]
    [InlineData(null, Bootstrap, Postgres, "tcp://h:9000", "ClickHouse's address is")]
    public void Half_of_it_or_what_is_none_is_refused_with_a_sentence(string? roles, string? bootstrap, string? postgres, string? clickHouse, string because) =>
        Assert.Contains(because, Assert.Throws<StartRefusedException>(() => ScaledOptions.From(roles, bootstrap, postgres, clickHouse)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_refused_address_never_shows_its_password() =>
        Assert.DoesNotContain("secret", Assert.Throws<StartRefusedException>(() => ScaledOptions.From(null, Bootstrap, Postgres, "ftp://user:secret@host/db")).Message, StringComparison.Ordinal);

    [Fact]
    public void Roles_may_be_several_and_default_to_all()
    {
        Assert.Equal(ServerRoles.All, ScaledOptions.From(null, Bootstrap, Postgres, null)!.Roles);
        Assert.Equal(ServerRoles.Api | ServerRoles.Admin, ScaledOptions.From("api, admin", Bootstrap, Postgres, null)!.Roles);
    }

    [Theory]
    [InlineData("http://127.0.0.1:8123", "127.0.0.1", 8123, "default", "", "promotions", "http")]
    [InlineData("https://an%40alyst:p%3Aw@click.example/shop", "click.example", 443, "an@alyst", "p:w", "shop", "https")]
    public void A_ClickHouse_address_names_everything(string text, string host, int port, string user, string password, string database, string protocol)
    {
        var address = ScaledOptions.From(null, Bootstrap, Postgres, text)!.ClickHouse!;
        Assert.Equal((host, port, user, password, database, protocol), (address.Host, address.Port, address.Username, address.Password, address.Database, address.Protocol));
    }
}
