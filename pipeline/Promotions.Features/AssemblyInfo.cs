using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Promotions.Features.Tests")]
