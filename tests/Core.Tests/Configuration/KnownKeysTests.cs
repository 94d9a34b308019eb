using Archiver.Core.Configuration;
using static Archiver.Core.Tests.Configuration.Configured;

namespace Archiver.Core.Tests.Configuration;

public sealed class KnownKeysTests
{
    [Theory]
    [InlineData("Storge:Bucket", "Storge", "Storage")]
    [InlineData("Sources:main:Policies:idle:IdelFor", null, "IdleFor")]
    [InlineData("Sources:main:Tables:Session:Activty", null, "Activity")]
    [InlineData("Sources:main:Tables:Children:messages:Foreignkeys", null, "ForeignKey")]
    [InlineData("Batch:Session", null, "Sessions")]
    public void Names_an_unknown_key_and_what_it_may_have_meant(string key, string? named, string meant) =>
        With(key, "1").Refused($"{named ?? key}: is not a known key; did you mean '{meant}'?");

    [Fact]
    public void Guesses_nothing_where_nothing_is_close() => With("Kafka:Topic", "x").Refused("Kafka: is not a known key");

    [Fact]
    public void Shows_no_value_of_an_unknown_key() => Assert.DoesNotContain("hunter2", With("Storage:SecretKy", "hunter2").Message());

    [Fact]
    public void Refuses_a_key_below_a_single_value() =>
        With("Batch:Rows:Most", "1").Refused("Batch:Rows:Most: is not a known key: Archiver:Batch:Rows takes a single value");

    [Fact]
    public void Refuses_a_single_value_where_a_section_belongs() =>
        With("Batch", "1").Refused("Batch: must be a section of keys, but is a single value");

    [Fact]
    public void Takes_keys_in_any_case_as_the_environment_has_them() => Assert.Equal(7, With("BATCH:ROWS", "7").Settings().Batch.Rows);

    [Fact]
    public void Lists_every_option_once()
    {
        Assert.Contains("Archiver:Sources:{name}:Policies:{name}:IdleFor", ArchiverConfiguration.KnownKeys);
        Assert.Contains("Archiver:Sources:{name}:Tables:Children:{name}:Order", ArchiverConfiguration.KnownKeys);
        Assert.Contains("Archiver:AutoMigrate", ArchiverConfiguration.KnownKeys);
        Assert.Equal(ArchiverConfiguration.KnownKeys.Count, ArchiverConfiguration.KnownKeys.Distinct().Count());
        Assert.Equal(98, ArchiverConfiguration.KnownKeys.Count);
    }
}
