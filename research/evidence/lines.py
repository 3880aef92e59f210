"""Plain sentences and negations of our own, which nobody trained on: what a text branch is asked besides a sitcom.

Written for the evaluation; `research.recipes.plain`, which makes sentences for training, shares no frame with them.
"""

from __future__ import annotations

from collections.abc import Mapping


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


PLAIN: Mapping[str, tuple[str, ...]] = {
    "anger": _lines("""
        You have ruined the whole evening for me.
        Take your hands off my bag right now.
        That is the third time this week you are late, and I have had enough.
        Who gave you permission to read my letters?
        They doubled my rent without saying a word, the crooks.
        I could strangle him for what he said to my sister.
        Don't you dare talk to my mother like that again.
        This company treats people like dirt and I won't take it any longer.
        My blood boils when I think of that phone call.
        Stop blaming me for your own mistakes.
        He slammed the door in my face, the arrogant fool.
        I told you a hundred times not to touch my things!
        What an outrageous lie.
        Get your car out of my driveway before I call the police.
        She took all the credit for my work, and it makes me furious.
        I am so mad at them that I could scream.
        You selfish pig, you ate everything.
        The neighbours drill at midnight again, it drives me up the wall.
        Nobody insults my family and gets away with it.
        I hate how he always interrupts me.
        Your behaviour is completely unacceptable.
        They cancelled my insurance for no reason, those bastards.
        Shut your mouth and listen for once.
        I'm still angry about what you did on Friday.
        It infuriates me that the rich pay no taxes.
        How could you betray me like this?
        I want my money back, you cheat!
        He pushed an old lady, I wanted to hit him.
        It annoys me when people chew loudly.
    """),
    "disgust": _lines("""
        There is a dead rat floating in the pool.
        He wiped his nose on the tablecloth.
        The smell from that drain makes me gag.
        I found a worm in my apple after I had bitten into it.
        Her feet stink like old cheese.
        The kitchen was crawling with maggots.
        Don't eat that, it is covered in green fuzz.
        He burped right into my face, how nasty.
        The bathroom floor was sticky with who knows what.
        I can't watch him chew with his mouth open.
        That meat is slimy and gray.
        Somebody left a used bandage in my soup.
        The mattress had yellow stains all over it.
        What a repulsive habit.
        The bus reeked of vomit.
        Flies were sitting all over the rotten fruit.
        I nearly threw up when I saw the wound.
        It tastes like somebody washed socks in it.
        His fingernails were black with filth.
        There was hair in every dish they served.
        Toilet water splashed onto my sandwich.
        That video of the surgery turned my stomach.
        They found cockroaches in the bread.
        He never washes and you can smell it across the room.
        The way he stares at young girls is sickening.
        A slug crawled over my bare foot, yuck.
        The dog licked its vomit off the carpet.
        That cream has gone off, it is revolting.
        Ew, your breath is foul.
    """),
    "fear": _lines("""
        Please lock the door, I think somebody is outside.
        What if the cancer comes back?
        My hands are shaking, I can't go up on that stage.
        I don't dare to open the letter from the bank.
        The car behind us has been there since the motorway.
        Don't let go of me, the water is deep.
        I had a nightmare and now I can't sleep alone.
        The ground is trembling, get under the table!
        There is a stranger standing in the garden.
        I panic every time the lift stops.
        He threatened to kill us if we told anybody.
        The bridge is swaying, I want to turn back.
        I'm worried sick about my son, he doesn't answer his phone.
        They say that the storm will tear off the roof.
        Spiders give me the creeps.
        I get so nervous before every exam.
        Is it dangerous, doctor? Will I survive?
        The dog is growling at me, keep it away!
        I heard a scream from the cellar.
        We are lost in these woods and it is getting dark.
        My heart is racing, I think that I am having an attack.
        Please don't leave me alone with him.
        Somebody tried to break in last night and I am still terrified.
        I'm scared of what they will do to him in prison.
        Watch out, the tree is falling!
        What will become of us if I lose this job?
        The plane dropped and everybody screamed.
        There's blood on the stairs, call for help.
        I dread the results of the scan.
    """),
    "joy": _lines("""
        We won the championship after twenty years!
        My son graduated with honours today.
        This is the best birthday that I ever had.
        I can finally walk without pain again.
        She kissed me and I have been smiling since.
        What a glorious morning, let's go to the beach.
        I laughed so hard that my belly hurts.
        Our baby slept through the night for the first time.
        They offered me the part in the play!
        You are the sweetest person in the world.
        It feels wonderful to be home with all of you.
        Hooray, school is over for the summer.
        I adore the way she sings to the flowers.
        The surgery went perfectly and he is fine.
        We danced until the sun came up.
        Thanks to you everything worked out beautifully.
        I've got two tickets for the show, how cool is that!
        My heart jumps every time I see her.
        Grandma's apple pie tastes like heaven.
        I'm on cloud nine.
        I am truly grateful for such good friends.
        That joke was hilarious.
        The puppy is so cute, look at its tail.
        We are expecting twins and couldn't be more delighted.
        Great news, the house is ours!
        I had a fantastic time at your wedding.
        It makes me proud to see you on that stage.
        Cheers to the happiest couple in town!
        I love these quiet evenings with a book.
    """),
    "neutral": _lines("""
        The library opens at ten on weekdays.
        Please fill in both sides of the form.
        I parked the car behind the station.
        There are six eggs in the fridge.
        The next exit is two miles away.
        He wears a blue shirt on Mondays.
        We usually have lunch around noon.
        The printer is on the second floor.
        I need to buy bread and milk.
        Can you tell me what time it is?
        The parcel will arrive between two and four.
        She studied chemistry in Leeds.
        Put the plates in the cupboard on the left.
        Water boils at a hundred degrees.
        My appointment is on the fifth of May.
        The manual is available in four languages.
        He moved here from Portugal in 2015.
        Click on the button at the top of the page.
        The road is closed between the church and the mill.
        I take the number twelve to work.
        Both options cost about the same.
        The table is made of oak.
        We have a branch in Berlin too.
        You can leave the keys with the porter.
        It is about three hundred pages long.
        The recording lasts forty minutes.
        She asked for the bill.
        They painted the fence brown.
        Let me check the calendar.
    """),
    "sadness": _lines("""
        I still set a plate for him although he is gone.
        The doctors say there is nothing more they can do for her.
        Nobody has called me in weeks.
        I wept the whole way home from the funeral.
        We were so close and now she won't even look at me.
        My best friend moved away and the house feels empty.
        I failed as a father.
        He died before I could say goodbye.
        All our savings are gone and so are our dreams.
        I feel like a burden to everybody.
        They put our old dog to sleep yesterday.
        It breaks my heart to see her like this.
        I don't see the point in anything any more.
        She cries herself to sleep.
        The divorce came through this morning.
        Our team lost the final in the last minute.
        I wish I could hug my mother one more time.
        He has been so lonely since his wife passed away.
        I lost the baby in the fifth month.
        My dream of becoming a dancer is over.
        I'm so sorry for your loss.
        They turned me down again, I'm good for nothing.
        Everyone else was invited, only I was not.
        It hurts that you forgot our anniversary.
        The village where I grew up is under water now.
        I feel empty inside.
        It's a shame that you have to leave so soon.
        Since the accident he can't play the piano any more.
        She left without a word and took the children.
    """),
    "surprise": _lines("""
        Wow, I had no idea that you could juggle!
        You bought a castle? Are you serious?
        Look, it's snowing in the middle of summer!
        I never expected to see you here of all places.
        What? They made him the president?
        My jaw dropped when she pulled off the wig.
        Oh my god, you shaved your head!
        He is your brother? I would never have guessed.
        Suddenly the whole wall slid aside.
        I can't believe that we sat on the same plane!
        Since when do you eat meat?
        No way, that costs only one dollar?
        Out of nowhere a deer jumped onto the stage.
        She's pregnant? But she is fifty-two!
        To my astonishment the old radio still worked.
        You did all of this in one night? Incredible.
        Hold on, you mean it was you the whole time?
        Well, I'll be damned, it really flies.
        I was stunned to find my name on the list.
        Good heavens, how you have grown!
        They gave the job to the cleaner, would you believe it?
        It turns out that the painting is a real Rembrandt!
        Seriously? You drove here from Spain?
        Who would have thought that he can cook like that!
        Whoa, where did all these people come from?
        I opened the box and it was full of cash.
        Wait, what did you just say?
        That is the last thing that I expected to hear.
        Gosh, is it midnight already?
    """),
}

# a sentence that denies or only imagines an emotion -> what may be heard in it besides neutral
NEGATED: Mapping[str, str] = {
    "Happy is not the word for it.": "sadness anger",
    "This does not make me a happy man.": "sadness anger disgust",
    "This is not funny.": "anger sadness",
    "I don't love you any more.": "sadness anger",
    "It was not a good day.": "sadness anger",
    "It isn't you that I'm angry with.": "joy",
    "No, I have stopped being mad.": "joy",
    "There is no anger in this room.": "joy",
    "Sad? Not me.": "joy",
    "There is no reason to be sad.": "joy",
    "He does not frighten me.": "anger joy",
    "You don't need to be scared.": "joy",
    "There is nothing to be afraid of.": "joy",
    "It came as no surprise.": "sadness",
    "That doesn't surprise me.": "sadness",
    "It doesn't disgust me.": "joy",
    "I don't find it disgusting.": "joy",
    "I don't hate you.": "joy",
    "I never hated him.": "joy sadness",
    "I can't say that I enjoyed it.": "sadness disgust anger",
    "I wouldn't call it wonderful.": "sadness disgust anger",
    "She isn't proud of me.": "sadness anger",
    "I have no fun here.": "sadness anger",
    "We didn't win.": "sadness",
    "They did not like my cake.": "sadness",
    "I'm feeling none too good.": "sadness fear",
    "My worries are over.": "joy",
    "Not great.": "sadness disgust",
    "It leaves me far from excited.": "sadness",
    "He is not amused.": "anger sadness",
    "If I had won, I would be happy.": "sadness",
    "He'd make me furious if he did that.": "anger",
    "I'd be scared if I were alone.": "fear",
    "If only I could be glad about it.": "sadness",
    "I should be happy, but I am not.": "sadness",
    "Had she come, it would have been lovely.": "sadness",
    "I used to love this place.": "sadness",
    "I thought that I would be sad, but I feel fine.": "joy",
    "It could have been fun.": "sadness",
    "You mustn't get angry.": "fear sadness",
}

# what is asked of a robot or a nurse: whoever says it is calm
REQUESTS = _lines("""
    Please hand me that screwdriver.
    Could you turn down the radio?
    Please let my sister know.
    Show me yesterday's pictures.
    Please charge your battery.
    Take this to the laundry.
    Remind me at five.
    Please repeat that slowly.
    Can you fetch the mail?
    The bigger chair, please.
    Please wash your hands first.
    Would you hold the elevator?
    Stand behind the line, please.
    Please check the oven.
    Switch to the other camera.
    Mind the gap.
    Please fill in your name.
    Lift your left arm.
    Please breathe in.
    Don't lose the ticket.
""")
