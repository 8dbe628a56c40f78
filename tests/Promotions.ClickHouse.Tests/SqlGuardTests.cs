using System.Text;
using Promotions.ClickHouse.Http;

namespace Promotions.ClickHouse.Tests;

public sealed class SqlGuardTests
{
    private static SqlGuard.Finding Inspect(string sql) => SqlGuard.Inspect(Encoding.UTF8.GetBytes(sql));

    [Theory]
    [InlineData("SELECT * FROM url('http://127.0.0.1/', 'CSV')")]
    [InlineData("SELECT * FROM `file`('/etc/passwd')")]
    [InlineData("SELECT * FROM \"s3\" ( 'x' )")]
    [InlineData("select * from FILE/* a comment */('/etc/passwd')")]
    [InlineData("INSERT INTO FUNCTION file('/tmp/x', 'CSV', 'a String') SELECT 'x'")]
    [InlineData("INSERT INTO t SELECT format FROM url('http://x')")]
    [InlineData("INSERT INTO t (values, format) SELECT * FROM remote('x', y)")]
    [InlineData("INSERT INTO values SELECT * FROM url('http://x')")]
    [InlineData("INSERT INTO db.format SELECT * FROM url('http://x')")]
    [InlineData("INSERT INTO t WITH (SELECT 1) AS x SELECT values FROM url('http://x')")]
    [InlineData("CREATE TABLE t (a String) ENGINE = URL('http://x')")]
    [InlineData("CREATE TABLE t (a String) ENGINE Kafka SETTINGS kafka_broker_list = 'x'")]
    [InlineData("CREATE TABLE t (a String) ENGINE=`File`('CSV')")]
    [InlineData("CREATE DICTIONARY d (a UInt64) PRIMARY KEY a SOURCE(HTTP(URL 'http://x' FORMAT 'CSV')) LAYOUT(FLAT()) LIFETIME(1)")]
    [InlineData("SELECT 1 INTO OUTFILE '/tmp/x'")]
    [InlineData("INSERT INTO t FROM INFILE '/etc/passwd' FORMAT LineAsString")]
    [InlineData("BACKUP TABLE t TO Disk('backups', 'x')")]
    [InlineData("  -- a comment\n SYSTEM SHUTDOWN")]
    [InlineData("SELECT 1; DROP TABLE t")]
    public void What_reaches_outside_is_refused(string sql) => Assert.NotNull(Inspect(sql).Refusal);

    [Theory]
    [InlineData("SELECT 'url(1)', `file` FROM t WHERE a = 'it''s url(' -- file(")]
    [InlineData("SELECT url, file FROM visits WHERE url IN ('a', 'b')")]
    [InlineData("SELECT 1;  ")]
    [InlineData("INSERT INTO t (a) FORMAT RowBinary\n;url('; SELECT 2; file(")]
    [InlineData("INSERT INTO t VALUES ('; url(', 2)")]
    [InlineData("INSERT INTO db.t (format, values) FORMAT TSV\nurl(\t;")]
    [InlineData("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")]
    public void What_stays_inside_is_let_through(string sql) => Assert.Null(Inspect(sql).Refusal);

    [Theory]
    [InlineData("SELECT 1", true)]
    [InlineData("/* why */ WITH x AS (SELECT 1) SELECT * FROM x", true)]
    [InlineData("EXPLAIN SELECT 1", true)]
    [InlineData("SELECT 1 SETTINGS max_threads = 1", false)]   // readonly = 1 would refuse the setting
    [InlineData("INSERT INTO t SELECT 1", false)]
    [InlineData("CREATE TABLE t (a UInt8) ENGINE = Memory", false)]
    [InlineData("", false)]
    public void Readers_are_known_by_their_first_word(string sql, bool reads) => Assert.Equal(reads, Inspect(sql).OnlyReads);

    [Fact]
    public void An_open_string_or_comment_ends_the_statement_without_harm()
    {
        Assert.Null(Inspect("SELECT 'abc").Refusal);
        Assert.Null(Inspect("SELECT /* abc").Refusal);
        Assert.Null(Inspect("SELECT `abc\\").Refusal);
    }
}
