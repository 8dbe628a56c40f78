using Promotions.Training;

return await CommandLine.Create().Parse(args).InvokeAsync();
