import ArgumentParser

@main struct Taoyuan: AsyncParsableCommand {}
