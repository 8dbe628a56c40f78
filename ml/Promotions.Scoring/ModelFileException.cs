namespace Promotions.Scoring;

/// <summary>Why a model file was refused.</summary>
public enum ModelFileProblem
{
    /// <summary>Not set; never thrown.</summary>
    None = 0,
    /// <summary>Not a model file, or cut short: the text does not parse.</summary>
    Unreadable = 1,
    /// <summary>The text parses, and its checksum says that it is not what was written.</summary>
    Damaged = 2,
    /// <summary>Written by a newer version of this library.</summary>
    NewerVersion = 3,
    /// <summary>Trained on another feature layout.</summary>
    WrongLayout = 4,
    /// <summary>Intact, and what it says is no model: a cycle, a NaN, a negative cover, an unknown feature.</summary>
    Invalid = 5,
}

/// <summary>A model file that cannot be used; the message names what and where.</summary>
public sealed class ModelFileException : Exception
{
    public ModelFileException(ModelFileProblem problem, string message, Exception? inner = null) : base(message, inner) => Problem = problem;
    public ModelFileProblem Problem { get; }
}
